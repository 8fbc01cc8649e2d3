-- KEYS: entry, lock. ARGV: owner, value, life of the entry in ms.
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if redis.pcall('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
