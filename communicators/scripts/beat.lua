-- Note that a worker process lives and what it says of itself, and forget those that have not been heard for long.
-- KEYS: workers, facts
-- ARGV: name, facts, ms of silence after which a worker is forgotten
local workers, facts = unpack(KEYS)
local name, said, silence = unpack(ARGV)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

redis.call('ZADD', workers, now, name)
redis.call('HSET', facts, name, said)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', workers, '-inf', now - silence, 'LIMIT', 0, 100)) do
  redis.call('ZREM', workers, gone)
  redis.call('HDEL', facts, gone)
end
