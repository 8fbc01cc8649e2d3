-- Says that a process is alive. KEYS: the processes. ARGV: process, life in µs. Returns their number,
-- and whether this one was missing.
local t = redis.call('TIME'); local now = t[1] * 1000000 + t[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local missing = redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(ARGV[2] / 1000))
return {redis.call('ZCARD', KEYS[1]), missing}
