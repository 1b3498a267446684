-- Claim a queued job for one attempt, and keep its message for the case that the attempt is lost.
-- Asking again with the same claim id gives the same answer: token, attempt, spec, times, and the numbers and facts of the
-- attempts before, in turn.
-- KEYS: record, stream, open
-- ARGV: id, claim id, worker, message, stream limit, lease ms, the broker's message
local record, stream, open = unpack(KEYS)
local id, claim, worker, message, limit, lease, raw = unpack(ARGV)

local state, owner, token, attempt, spec, deadline, queued_at, claimed_at = unpack(redis.call('HMGET', record,
  'state', 'claim', 'token', 'attempt', 'spec', 'queue_deadline', 'queued_at', 'claimed_at'))

local function claimed(at)
  local answer = { 'claimed', tostring(token), tostring(attempt), spec, queued_at, at }
  for number = 1, attempt - 1 do
    local facts = redis.call('HGET', record, 'attempt:' .. number)
    if facts then
      answer[#answer + 1] = tostring(number)
      answer[#answer + 1] = facts
    end
  end
  return answer
end

if not state then return { 'unknown' } end
if owner == claim and not CLOSED[state] then return claimed(claimed_at) end
if state ~= 'queued' then return { 'refused', state } end
if deadline then  -- it waited too long: tidy.lua closes it
  local clock = redis.call('TIME')
  if clock[1] * 1000 > tonumber(deadline) then return { 'refused', state } end
end
token = tonumber(token or 0) + 1
attempt = tonumber(attempt or 0) + 1
if attempt > 1 then  -- a new attempt starts with no tasklets
  for _, name in ipairs(redis.call('HKEYS', record)) do
    if string.find(name, 'tasklet:', 1, true) == 1 then redis.call('HDEL', record, name) end
  end
end
local at = say(stream, limit, attempt, message)
redis.call('HSET', record, 'state', 'starting', 'claim', claim, 'worker', worker, 'token', token, 'attempt', attempt,
  'claimed_at', at, 'raw', raw)
if deadline then redis.call('HDEL', record, 'queue_deadline') end
redis.call('ZADD', open, at + lease, id)
return claimed(at)
