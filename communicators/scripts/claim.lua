-- Claim a queued job for one attempt. Asking again with the same claim id gives the same answer.
-- KEYS: record, stream, open
-- ARGV: id, claim id, worker, message, stream limit, lease ms
local record, stream, open = unpack(KEYS)
local id, claim, worker, message, limit, lease = unpack(ARGV)

local state, owner, token, attempt, spec = unpack(redis.call('HMGET', record, 'state', 'claim', 'token', 'attempt', 'spec'))
if not state then return { 'unknown' } end
if owner == claim and not CLOSED[state] then return { 'claimed', token, attempt, spec } end
if state ~= 'queued' then return { 'refused', state } end
token = tonumber(token or 0) + 1
attempt = tonumber(attempt or 0) + 1
local at = say(stream, limit, attempt, message)
redis.call('HSET', record, 'state', 'starting', 'claim', claim, 'worker', worker, 'token', token, 'attempt', attempt,
  'claimed_at', at)
redis.call('ZADD', open, at + lease, id)
return { 'claimed', tostring(token), tostring(attempt), spec }
