/**
 * What this Redis remembers of gateways began at `since`: when it was started, or when it heard from somebody again after a silence in which
 * gateways may have been taken for dead. Until `since` + settling it only listens.
 */
const MEMORY = `
local memory = redis.call('GET', KEYS[2])
local heard = tonumber(redis.call('GET', KEYS[4]) or '0')
if not memory or string.match(memory, ':(.*)$') ~= run or now - heard > leaseMs / 2 then
  memory = string.format('%.0f', now) .. ':' .. run
  redis.call('SET', KEYS[2], memory)
end
redis.call('SET', KEYS[4], string.format('%.0f', now))`;

/**
 * One exchange about one limit, by the rules of `gateway/admission/lease-authority.ts`; names are the same. All that changes is integers; time is
 * Redis's own. One rule more: a Redis that has begun only now lends nothing until every gateway had time to report what it has used and holds.
 *
 * KEYS: 1 hash of the limit (`used` of a total, `turn`, `h:<writer>` = incarnation|seq|seen|held|spare|expires|isGone|mayBeUsedUntil|turn|askingSince|sum|asked)
 * · 2 this Redis's memory: `<since ms>:<run id>` · 3 hash of the processes that have told all, by writer · 4 when somebody was heard. Of a window, each writer has a sorted set of
 * steps and a hash of their amounts beside the hash of the limit.
 * ARGV: writer, incarnation, seq (grows with each exchange: what comes late is void), run id of the server, kind, capacity, window ms, keep ms, used, in
 * window, held, spare, want, least, ahead, lease ms, settling ms, recall channel, restored entries as age:amount,… (`-` = none are told)
 * Returns granted, contended, used, free, forgotten, memory, ms until it lends.
 */
export const EXCHANGE_LEASE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local writer, incarnation, seq, run, kind = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local capacity, windowMs, keepMs = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local reportedUsed, inWindow = tonumber(ARGV[9]), tonumber(ARGV[10])
local held, spare, want = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local least, ahead = tonumber(ARGV[14]), tonumber(ARGV[15])
local leaseMs, settlingMs, channel, restored = tonumber(ARGV[16]), tonumber(ARGV[17]), ARGV[18], ARGV[19]
local function int(number) return string.format('%.0f', number) end

${MEMORY}
local settling = math.max(0, tonumber(string.match(memory, '^(%d+):')) + settlingMs - now)

local used, turn, holdings, complete = 0, 0, {}, {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'used' then used = tonumber(value)
  elseif name == 'turn' then turn = tonumber(value)
  else
    local of, n = {}, 0
    for part in string.gmatch(value, '[^|]+') do n = n + 1; of[n] = n == 1 and part or tonumber(part) end
    holdings[string.sub(name, 3)] = { incarnation = of[1], seq = of[2], seen = of[3], held = of[4], spare = of[5], expires = of[6],
      gone = of[7], untilMs = of[8], turn = of[9], asking = of[10], sum = of[11], asked = of[12] }
  end
end
local processes = redis.call('HGETALL', KEYS[3])
for i = 1, #processes, 2 do complete[processes[i]] = processes[i + 1] end

local step = math.max(1, math.floor(windowMs / 4096))
local function stepsOf(name) return KEYS[1] .. ' steps ' .. name end
local function amountsOf(name) return KEYS[1] .. ' amounts ' .. name end
local function add(name, holding, at, amount)
  local slot = int(math.floor(at / step))
  redis.call('ZADD', stepsOf(name), slot, slot)
  redis.call('HINCRBY', amountsOf(name), slot, int(amount))
  holding.sum = holding.sum + amount
end
local function drop(name, holding, slot)
  holding.sum = holding.sum - (tonumber(redis.call('HGET', amountsOf(name), slot)) or 0)
  redis.call('HDEL', amountsOf(name), slot)
  redis.call('ZREM', stepsOf(name), slot)
end
local function giveBack(name, holding, amount)
  while amount > 0 do
    local slot = redis.call('ZRANGE', stepsOf(name), 0, 0)[1]
    if not slot then return end
    local there = tonumber(redis.call('HGET', amountsOf(name), slot)) or 0
    if there > amount then
      redis.call('HINCRBY', amountsOf(name), slot, int(-amount))
      holding.sum = holding.sum - amount
      return
    end
    drop(name, holding, slot)
    amount = amount - there
  end
end
local function save(name, holding)
  redis.call('HSET', KEYS[1], 'h:' .. name, table.concat({ holding.incarnation, int(holding.seq), int(holding.seen), int(holding.held),
    int(holding.spare), int(holding.expires), int(holding.gone), int(holding.untilMs), int(holding.turn), int(holding.asking), int(holding.sum), int(holding.asked) }, '|'))
end

for name, holding in pairs(holdings) do
  local changed = false
  if kind == 'window' then
    local over = redis.call('ZRANGEBYSCORE', stepsOf(name), '-inf', int(math.floor((now - windowMs) / step) - 1))
    for _, slot in ipairs(over) do drop(name, holding, slot) end
    changed = #over > 0
  end
  if holding.gone == 0 and now >= holding.expires then
    holding.gone, holding.spare, holding.asking = 1, 0, -1
    if kind == 'gauge' then holding.held = 0 end
    if kind == 'window' then holding.untilMs = now + windowMs end
    changed = true
  end
  if changed then save(name, holding) end
end

local own = holdings[writer]
local isLate = own and own.incarnation == incarnation and seq <= own.seq
if not own or own.incarnation ~= incarnation then
  if kind == 'window' and restored == '-' and inWindow > 0 then
    return { '0', want > 0 and 1 or 0, '0', '0', 1, memory, int(settling) }
  end
  local seen = own and own.seen or 0
  own = { incarnation = incarnation, seq = 0, seen = seen, held = 0, spare = 0, expires = 0, gone = 0, untilMs = 0, turn = 0, asking = -1, sum = 0, asked = 0 }
  holdings[writer] = own
  if kind == 'window' then
    own.seen = reportedUsed
    redis.call('DEL', stepsOf(writer), amountsOf(writer))
    for age, amount in string.gmatch(restored, '(%d+):(%d+)') do
      if tonumber(age) < windowMs then add(writer, own, now - tonumber(age), tonumber(amount)) end
    end
  end
end
if not isLate then
  local delta = reportedUsed - own.seen
  if kind == 'window' then
    if delta > 0 then add(writer, own, now, delta) elseif delta < 0 then giveBack(writer, own, -delta) end
    if own.sum < inWindow then add(writer, own, now, inWindow - own.sum) end
    own.seen = reportedUsed
  elseif kind == 'total' and delta > 0 then
    used = used + delta
    own.seen = reportedUsed
  end
  turn = turn + 1
  own.seq, own.gone, own.held, own.spare, own.expires, own.turn = seq, 0, held, spare, now + leaseMs, turn
end

local lent, count, sum, inFlight = 0, 0, 0, 0
for name, holding in pairs(holdings) do
  local isVoid = complete[name] and complete[name] ~= holding.incarnation
  if not isVoid and not (holding.gone == 1 and kind == 'window' and now >= holding.untilMs) then lent = lent + holding.held end
  sum = sum + holding.sum
  inFlight = inFlight + holding.held - holding.spare
  if holding.gone == 0 then count = count + 1 end
end
if kind == 'window' then used = sum end
local free = capacity - used - lent
local granted = 0
if want > 0 and settling == 0 and free >= least and not isLate then
  granted = free
  if free >= want then granted = want + math.max(0, math.min(ahead, math.floor((free - want) / (4 * math.max(1, count))))) end
end
own.held, own.spare = own.held + granted, own.spare + granted
local isShort = want > 0 and granted < least
local since = own.turn
if own.asking >= 0 and now - own.asked < 100 then since = own.asking end
local isContended = isShort and settling > 0
if isShort and settling == 0 then
  local able, most = {}, 0
  for name, holding in pairs(holdings) do
    local part = holding.turn > since and holding.spare or holding.held
    if name ~= writer and holding.gone == 0 and part > 0 then
      able[#able + 1] = name
      most = most + part
    end
  end
  isContended = free + most >= least
  if isContended then for _, name in ipairs(able) do redis.call('PUBLISH', channel .. name, KEYS[1]) end end
end
own.asking, own.asked = isContended and since or -1, now
save(writer, own)
redis.call('HSET', KEYS[1], 'used', int(kind == 'total' and used or 0), 'turn', int(turn))
local keep = int(keepMs + 60000)
redis.call('PEXPIRE', KEYS[1], keep)
if kind == 'window' then
  redis.call('PEXPIRE', stepsOf(writer), keep)
  redis.call('PEXPIRE', amountsOf(writer), keep)
end
return { int(granted), isContended and 1 or 0, int(kind == 'gauge' and inFlight or used), int(math.max(0, free - granted)), 0, memory, int(settling) }
`;

/** Who this Redis is, for gateways that have nothing to tell. KEYS: 2 and 4 as above · ARGV: run id, lease ms. Returns `<since ms>:<run id>`. */
export const READ_MEMORY = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run, leaseMs = ARGV[1], tonumber(ARGV[2])
${MEMORY}
return memory
`;
