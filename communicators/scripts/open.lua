-- Open the record of a submitted job, unless the queue is full, the producer has given up waiting for us,
-- or its idempotency key has been used.
-- KEYS: record, stream, jobs, open, deadlines [, idempotency]
-- ARGV: id, message, stream limit, deadline ms (0: none), bound on queued jobs (0: none), retention ms, queue limit ms (0: none),
--       queue, spec
local record, stream, jobs, open, deadlines, idempotency = unpack(KEYS)
local id, message, limit, deadline, bound, retention, patience, queue, spec = unpack(ARGV)

if idempotency then
  local first = redis.call('GET', idempotency)
  if first then return { 'known', first } end
end
if tonumber(bound) > 0 then
  local queued = redis.call('ZCOUNT', open, '-inf', '(0')
  if queued >= tonumber(bound) then return { 'full', tostring(queued) } end
end
if redis.call('EXISTS', record) == 1 then return { 'known', id } end
local at = say(stream, limit, 0, message)
if tonumber(deadline) > 0 and tonumber(at) > tonumber(deadline) then
  redis.call('DEL', stream)
  return { 'late', at }
end
redis.call('HSET', record, 'spec', spec, 'queue', queue, 'state', 'queued', 'queued_at', at)
if tonumber(patience) > 0 then
  redis.call('HSET', record, 'queue_deadline', at + patience)
  redis.call('ZADD', deadlines, at + patience, id)
end
redis.call('ZADD', jobs, at, id)
-- Open jobs, one number each: below zero, minus the time of submission of a queued one; above, the lease of a claimed one.
redis.call('ZADD', open, '-' .. at, id)
if idempotency then redis.call('SET', idempotency, id, 'PX', retention) end
return { 'opened', id }
