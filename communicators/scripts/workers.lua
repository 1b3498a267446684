-- Answer, for each worker process that is remembered, the ms since it was heard, and what it says of itself.
-- KEYS: workers, facts
local workers, facts = unpack(KEYS)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local answer = {}
local heard = redis.call('ZRANGE', workers, 0, -1, 'WITHSCORES')
for i = 1, #heard, 2 do
  local said = redis.call('HGET', facts, heard[i])
  if said then
    answer[#answer + 1] = math.max(now - heard[i + 1], 0)
    answer[#answer + 1] = said
  end
end
return answer
