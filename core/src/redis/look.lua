-- KEYS: entry, lock. ARGV: owner, or nothing if nobody wants the lock, life of the lock in ms.
-- Returns the entry or false, its life or that of the lock in ms, and whether the lock is the
-- owner's now.
local entry = redis.call('GET', KEYS[1])
if entry then return {entry, redis.call('PTTL', KEYS[1]), 0} end
if ARGV[1] ~= '' and redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return {false, 0, 1}
end
return {false, redis.call('PTTL', KEYS[2]), 0}
