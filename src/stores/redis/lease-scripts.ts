/**
 * One exchange about one limit. All that changes is integers; time is Redis's own. The same rules as in `gateway/admission/lease-authority.ts`, and one
 * more: a Redis that has begun only now lends nothing until every gateway had time to report what it has used and holds.
 *
 * KEYS: 1 hash of the limit (`u` used of a total, `s` sum of the window, `h:<writer>` = incarnation|seen|held|spare|expires|gone, `o:<writer>` held by one
 * that went away) · 2 sorted set of the window's steps · 3 hash of their amounts · 4 id of this Redis's memory
 * ARGV: writer, incarnation, kind, capacity, window ms, keep ms, used, held, spare, want, least, lease ms, settling ms, recall channel, restored entries
 * as age:amount,…
 * Returns granted, contended, used, free, id of the memory, ms until it lends.
 */
export const EXCHANGE_LEASE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local writer, incarnation, kind = ARGV[1], ARGV[2], ARGV[3]
local capacity, windowMs, keepMs = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local used, held, spare = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local want, least = tonumber(ARGV[10]), tonumber(ARGV[11])
local leaseMs, settlingMs = tonumber(ARGV[12]), tonumber(ARGV[13])
local function int(number) return string.format('%.0f', number) end

local id = redis.call('GET', KEYS[4])
if not id then
  id = int(now) .. ':' .. incarnation
  redis.call('SET', KEYS[4], id)
end
local settling = tonumber(string.match(id, '^(%d+):')) + settlingMs - now

local total, sum, holders, orphans = 0, 0, {}, {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  local tag = string.sub(name, 1, 2)
  if tag == 'h:' then
    local of, seen, h, s, expires, gone = string.match(value, '^(.-)|(-?%d+)|(-?%d+)|(-?%d+)|(%d+)|([01])$')
    holders[string.sub(name, 3)] =
      { of = of, seen = tonumber(seen), held = tonumber(h), spare = tonumber(s), expires = tonumber(expires), gone = gone == '1' }
  elseif tag == 'o:' then orphans[string.sub(name, 3)] = tonumber(value)
  elseif name == 'u' then total = tonumber(value)
  elseif name == 's' then sum = tonumber(value) end
end

local step = math.max(1, math.floor(windowMs / 4096))
local function add(at, amount)
  local slot = int(math.floor(at / step))
  redis.call('ZADD', KEYS[2], slot, slot)
  redis.call('HINCRBY', KEYS[3], slot, int(amount))
  sum = sum + amount
end
local function drop(slot)
  sum = sum - (tonumber(redis.call('HGET', KEYS[3], slot)) or 0)
  redis.call('HDEL', KEYS[3], slot)
  redis.call('ZREM', KEYS[2], slot)
end
local function giveBack(amount)
  while amount > 0 do
    local slot = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    if not slot then return end
    local there = tonumber(redis.call('HGET', KEYS[3], slot)) or 0
    if there > amount then
      redis.call('HINCRBY', KEYS[3], slot, int(-amount))
      sum = sum - amount
      return
    end
    drop(slot)
    amount = amount - there
  end
end
if kind == 'window' then
  for _, slot in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', int(math.floor((now - windowMs) / step) - 1))) do drop(slot) end
end

local function save(name, holder)
  redis.call('HSET', KEYS[1], 'h:' .. name, holder.of .. '|' .. int(holder.seen) .. '|' .. int(holder.held) .. '|' .. int(holder.spare) .. '|'
    .. int(holder.expires) .. '|' .. (holder.gone and '1' or '0'))
end
local function finish(name, holder)
  local left = holder.held
  holder.held, holder.spare, holder.gone = 0, 0, true
  if left > 0 then
    if kind == 'window' then add(now, left)
    elseif kind == 'total' then
      orphans[name] = left
      redis.call('HSET', KEYS[1], 'o:' .. name, int(left))
    end
  end
  save(name, holder)
end
for name, holder in pairs(holders) do
  if not holder.gone and now >= holder.expires then finish(name, holder) end
end

local own = holders[writer]
if not own then
  own = { of = incarnation, seen = 0, held = 0, spare = 0, expires = 0, gone = false }
  holders[writer] = own
  for age, amount in string.gmatch(ARGV[15], '(%d+):(%d+)') do
    if tonumber(age) < windowMs then add(now - tonumber(age), tonumber(amount)) end
  end
elseif own.of ~= incarnation then
  if not own.gone then finish(writer, own) end
  own.of = incarnation
  if kind == 'window' then own.seen = 0 end
end
local delta = used - own.seen
if kind == 'window' then
  if delta > 0 then add(now, delta) elseif delta < 0 then giveBack(-delta) end
  own.seen = used
elseif kind == 'total' then
  orphans[writer] = nil
  redis.call('HDEL', KEYS[1], 'o:' .. writer)
  if delta > 0 then
    total = total + delta
    own.seen = used
  end
end
own.gone, own.held, own.spare, own.expires = false, held, spare, now + leaseMs

local lent, spareOfOthers, count = 0, 0, 0
for name, holder in pairs(holders) do
  lent = lent + holder.held
  if not holder.gone then count = count + 1 end
  if name ~= writer then spareOfOthers = spareOfOthers + holder.spare end
end
for _, left in pairs(orphans) do lent = lent + left end
local usedByAll = kind == 'window' and sum or total
local free = capacity - usedByAll - lent
local granted = 0
if want > 0 and settling <= 0 and free >= least then
  granted = free
  if free >= want then granted = want + math.max(0, math.floor((free - want) / (4 * math.max(1, count)))) end
end
own.held = own.held + granted
save(writer, own)
local contended = want > 0 and granted < least and (settling > 0 or free + spareOfOthers >= least)
if contended and settling <= 0 then
  for name, holder in pairs(holders) do
    if name ~= writer and holder.spare > 0 then redis.call('PUBLISH', ARGV[14] .. name, KEYS[1]) end
  end
end
redis.call('HSET', KEYS[1], 'u', int(total), 's', int(sum))
local keep = int(keepMs + 60000)
redis.call('PEXPIRE', KEYS[1], keep)
if kind == 'window' then
  redis.call('PEXPIRE', KEYS[2], keep)
  redis.call('PEXPIRE', KEYS[3], keep)
end
return { int(granted), contended and 1 or 0, int(usedByAll), int(math.max(0, free - granted)), id, int(math.max(0, settling)) }
`;
