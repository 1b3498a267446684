-- Send a producer's message to the task of an open job, and wake its Executor. Every attempt gets all of them.
-- KEYS: record, messages to the task
-- ARGV: id, message, how many messages a job may be sent, retention ms, wake-up channel
local record, inward = unpack(KEYS)
local id, message, limit, retention, channel = unpack(ARGV)

local state = redis.call('HGET', record, 'state')
if not state then return { 'unknown' } end
if CLOSED[state] then return { 'closed', state } end
if redis.call('XLEN', inward) >= tonumber(limit) then return { 'full' } end
redis.call('XADD', inward, '*', 'attempt', 0, 'json', message)
redis.call('PEXPIRE', inward, retention)
redis.call('HINCRBY', record, 'sent', 1)
redis.call('PUBLISH', channel, id)
return { 'sent', state }
