-- Find the jobs whose lease ran out, or whose pause before another attempt is over. Close those that may not run again;
-- answer the rest, id and message and spec in turn, for the caller to publish. Should the caller die before it has done so
-- and said so, the job is due again after one lease.
-- KEYS: open
-- ARGV: record prefix, how many, lease ms, crash limit, stream limit, retention ms,
--       message for another attempt, messages and outcomes for: cancelled, lost, crash limit
local open = KEYS[1]
local prefix, many, lease, crash_limit, limit, retention, again = unpack(ARGV)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local ends = {
  cancelled = { 'cancelled', ARGV[8], ARGV[9] },
  lost = { 'lost', ARGV[10], ARGV[11] },
  crashed = { 'failed', ARGV[12], ARGV[13] },
}

local function verdict(record, wish, spec)
  if wish == 'cancel' then return ends.cancelled end
  local known, task = pcall(cjson.decode, spec)
  if known and task.retry and not task.retry.on_loss then return ends.lost end
  if redis.call('HINCRBY', record, 'losses', 1) >= tonumber(crash_limit) then return ends.crashed end
end

local publish = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', open, 0, now, 'LIMIT', 0, many)) do
  local record = prefix .. id
  local stream = record .. ':messages'
  local state, token, attempt, worker, wish, spec, inboxes, raw =
    unpack(redis.call('HMGET', record, 'state', 'token', 'attempt', 'worker', 'wish', 'spec', 'inboxes', 'raw'))
  local ending = nil
  if state and state ~= 'queued' and not CLOSED[state] then
    redis.call('HSET', record, 'attempt:' .. attempt, cjson.encode({ worker = worker, state = 'lost' }))
    ending = verdict(record, wish, spec)
    if not ending then
      say(stream, limit, attempt, again)
      redis.call('HSET', record, 'state', 'queued')
      release(record, open, id, token, now + lease)
    end
  end
  if not state or CLOSED[state] then
    redis.call('ZREM', open, id)
  elseif ending then
    local at = say(stream, limit, attempt, ending[2])
    redis.call('HSET', record, 'state', ending[1], 'ended_at', at, 'outcome', ending[3], 'token', tonumber(token) + 1)
    close(record, stream, open, id, ending[1], retention, inboxes)
  else
    redis.call('ZADD', open, now + lease, id)
    for _, word in ipairs({ id, raw or '', spec }) do publish[#publish + 1] = word end
  end
end
return publish
