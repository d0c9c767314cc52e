/**
 * Lua of the answer cache. Everything lives under one prefix with a hash tag, so that a cluster keeps it in one slot:
 * `e:<id>` answer · `a:<id>` alias → id · `meta` id → {f feature, b bytes, t tags, a aliases, s purge} · `use` ids by last use · `exp` ids by expiry, ms ·
 * `count`, `bytes` by feature · `total` bytes · `tick` counter that orders uses.
 */
const REMOVE = `
local function remove(p, id)
  redis.call('UNLINK', p .. ':e:' .. id)
  redis.call('ZREM', p .. ':use', id)
  redis.call('ZREM', p .. ':exp', id)
  local meta = redis.call('HGET', p .. ':meta', id)
  if not meta then return 0 end
  redis.call('HDEL', p .. ':meta', id)
  local known = cjson.decode(meta)
  redis.call('HINCRBY', p .. ':count', known.f, -1)
  redis.call('HINCRBY', p .. ':bytes', known.f, -known.b)
  redis.call('DECRBY', p .. ':total', known.b)
  for _, alias in ipairs(known.a) do
    if redis.call('GET', p .. ':a:' .. alias) == id then redis.call('UNLINK', p .. ':a:' .. alias) end
  end
  return 1
end
`;

/** KEYS prefix · ARGV id → bytes or nil */
const GET = `
local p, id = KEYS[1], ARGV[1]
local value = redis.call('GET', p .. ':e:' .. id)
if not value then
  id = redis.call('GET', p .. ':a:' .. id)
  if not id then return false end
  value = redis.call('GET', p .. ':e:' .. id)
  if not value then return false end
end
redis.call('ZADD', p .. ':use', 'XX', redis.call('INCR', p .. ':tick'), id)
return value
`;

/** KEYS prefix · ARGV id, answer, bytes, ttl ms, now ms, most bytes, meta → answers that made room, -1 = too large */
const PUT = `${REMOVE}
local p, id, bytes, ttl, now, most = KEYS[1], ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local meta = cjson.decode(ARGV[7])
remove(p, id)
for _, expired in ipairs(redis.call('ZRANGEBYSCORE', p .. ':exp', '-inf', now, 'LIMIT', 0, 64)) do remove(p, expired) end
if bytes > most then return -1 end
redis.call('SET', p .. ':e:' .. id, ARGV[2], 'PX', ttl)
redis.call('HSET', p .. ':meta', id, ARGV[7])
redis.call('ZADD', p .. ':use', redis.call('INCR', p .. ':tick'), id)
redis.call('ZADD', p .. ':exp', now + ttl, id)
redis.call('HINCRBY', p .. ':count', meta.f, 1)
redis.call('HINCRBY', p .. ':bytes', meta.f, bytes)
for _, alias in ipairs(meta.a) do redis.call('SET', p .. ':a:' .. alias, id, 'PX', ttl) end
local total, evicted = redis.call('INCRBY', p .. ':total', bytes), 0
while total > most do
  local oldest = redis.call('ZRANGE', p .. ':use', 0, 0)[1]
  if not oldest then break end
  remove(p, oldest)
  evicted = evicted + 1
  total = tonumber(redis.call('GET', p .. ':total'))
end
return evicted
`;

/** KEYS prefix · ARGV ids → answers removed */
const REMOVE_ALL = `${REMOVE}
local removed = 0
for _, id in ipairs(ARGV) do removed = removed + remove(KEYS[1], id) end
return removed
`;

export const SCRIPTS = {
  answerGet: { lua: GET, numberOfKeys: 1 },
  answerPut: { lua: PUT, numberOfKeys: 1 },
  answerRemove: { lua: REMOVE_ALL, numberOfKeys: 1 },
} as const;
