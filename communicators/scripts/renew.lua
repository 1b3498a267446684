-- Renew the leases of one worker's jobs. Answers in turn: id; '' to go on, a wish, or `superseded`; how many messages were
-- sent to the task.
-- KEYS: open
-- ARGV: record prefix, lease ms, then ids and tokens
local open, prefix, lease = KEYS[1], ARGV[1], ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local answer = {}
for i = 3, #ARGV, 2 do
  local id = ARGV[i]
  local state, token, wish, sent = unpack(redis.call('HMGET', prefix .. id, 'state', 'token', 'wish', 'sent'))
  answer[#answer + 1] = id
  if token == ARGV[i + 1] and state and not CLOSED[state] then
    redis.call('ZADD', open, 'XX', now + lease, id)
    answer[#answer + 1] = wish or ''
  else
    answer[#answer + 1] = 'superseded'
  end
  answer[#answer + 1] = sent or '0'
end
return answer
