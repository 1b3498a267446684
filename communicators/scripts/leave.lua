-- Forget a worker process that has ended as it should.
-- KEYS: workers, facts
-- ARGV: name
local workers, facts = unpack(KEYS)
redis.call('ZREM', workers, ARGV[1])
redis.call('HDEL', facts, ARGV[1])
