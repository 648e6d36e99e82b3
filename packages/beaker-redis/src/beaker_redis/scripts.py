"""What the server does in one step: scripts, each atomic and one round trip.

Their keys are, in this order: for each record its own name and those of what belongs
to it; then, for a cache, the index. The index is a sorted set of names by when they
expire, in milliseconds. Names of records have that time as their score; what is no
record (leases, access times) has it negative, so it comes first and is dropped first.

A lease is a hash of its holder's token and, once somebody waits for it, the name of
the list on which to wake him and how many wait there. When it ends all of them are
woken: most will find the value there, and need no lease.
"""

from __future__ import annotations

from hashlib import sha1

__all__ = [
    "ANNOUNCE",
    "COUNT",
    "DISCARD",
    "DROP",
    "FILL",
    "FREE",
    "REMOVE_UNUSED",
    "RENEW",
    "REPLACE",
    "REPLACE_SESSION",
    "STORE",
    "STORE_SESSION",
    "TAKE",
    "TOUCH",
    "Script",
]


class Script:
    """A script and the digest by which the server knows it."""

    __slots__ = ("sha", "text")

    def __init__(self, *parts: str) -> None:
        self.text = "".join(parts)
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_CLOCK = """
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
"""

# Redis has a record until the clock is past its time: what expires in this very
# millisecond stays in the index, too.
_EXPIRED = """
local function expired(now)
  return '(' .. -now, '(' .. now
end
"""

# What has expired leaves the index whenever a name is added, and the index itself
# expires after its last member: a namespace that nobody uses leaves nothing behind.
# Twice the time is asked for, so that it need not be asked for each time.
_KEEP = (
    _EXPIRED
    + """
local function keep(index, now, ttl, ...)
  local left = redis.call('PTTL', index)
  if redis.call('ZADD', index, ...) > 0 then
    redis.call('ZREMRANGEBYSCORE', index, expired(now))
  end
  if ttl == '' then
    if left >= 0 then redis.call('PERSIST', index) end
  elseif left == -2 or (left >= 0 and left < tonumber(ttl)) then
    redis.call('PEXPIRE', index, ttl * 2)
  end
end
"""
)

# A wake-up that nobody collects expires: by then all who waited have asked again. The
# name of the lease leaves the index with what has expired, if nobody takes it out.
_RELEASE = """
local function held_at(lease)
  return redis.call('HMGET', lease, 'token', 'wake', 'waiters')
end
local function release(lease, held)
  if not held then
    if redis.call('EXISTS', lease) == 0 then return end
    held = held_at(lease)
  end
  redis.call('DEL', lease)
  if held[2] then
    for _ = 1, tonumber(held[3]) do redis.call('RPUSH', held[2], '') end
    redis.call('PEXPIRE', held[2], 3000)
  end
end
"""

_PUT = (
    _CLOCK
    + _KEEP
    + _RELEASE
    + """
local function put(record, lease, index, data, ttl, held)
  release(lease, held)
  if ttl == '' then
    redis.call('SET', record, data)
  else
    redis.call('SET', record, data, 'PX', ttl)
  end
  if index then
    local now = clock()
    keep(index, now, ttl, ttl == '' and '+inf' or now + ttl, record)
  end
end
"""
)

#: Keys: record and lease, for each record. Arguments: ttl, data for each.
STORE = Script(
    _PUT,
    """
local index = #KEYS % 2 == 1 and KEYS[#KEYS]
for i = 2, #KEYS, 2 do
  put(KEYS[i - 1], KEYS[i], index, ARGV[i / 2 + 1], ARGV[1])
end
""",
)

#: Keys: record, lease. Arguments: ttl, data, what is expected if anything.
REPLACE = Script(
    _PUT,
    """
if redis.call('GET', KEYS[1]) ~= (ARGV[3] or false) then return 0 end
put(KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[1])
return 1
""",
)

_PUT_SESSION = (
    _PUT
    + """
local function put_session()
  put(KEYS[1], KEYS[2], nil, ARGV[2], ARGV[1])
  if ARGV[1] == '' then
    redis.call('SET', KEYS[3], ARGV[3])
  else
    redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[1])
  end
end
"""
)

#: Keys: record, lease, access time. Arguments: ttl, data, access time.
STORE_SESSION = Script(_PUT_SESSION, "put_session()")

#: The same, if the record is what is expected: the fourth argument, if anything.
REPLACE_SESSION = Script(
    _PUT_SESSION,
    """
if redis.call('GET', KEYS[1]) ~= (ARGV[4] or false) then return 0 end
put_session()
return 1
""",
)

#: Keys: record, access time, for each session. Arguments: seconds unused, before when
#: it was used last, whether to count only. Returns how many there are.
REMOVE_UNUSED = Script("""
local unused = 0
for i = 2, #KEYS, 2 do
  local accessed = redis.call('GET', KEYS[i])
  local is_unused
  if accessed then
    is_unused = tonumber(accessed) < tonumber(ARGV[2])
  else
    -- Under some policies of eviction the server does not know.
    local idle = redis.pcall('OBJECT', 'IDLETIME', KEYS[i - 1])
    is_unused = type(idle) == 'number' and idle >= tonumber(ARGV[1])
  end
  if is_unused then
    unused = unused + 1
    if ARGV[3] == '' then redis.call('DEL', KEYS[i - 1], KEYS[i]) end
  end
end
return unused
""")

#: Keys: record, lease. Arguments: ttl, data, token.
FILL = Script(
    _PUT,
    """
local held = held_at(KEYS[2])
if held[1] ~= ARGV[3] then return 0 end
put(KEYS[1], KEYS[2], KEYS[3], ARGV[2], ARGV[1], held)
return 1
""",
)

#: Keys: record, lease, access time, for each record. Returns how many there were.
DISCARD = Script(
    _RELEASE,
    """
local index = #KEYS % 3 == 1 and KEYS[#KEYS]
local gone = 0
for i = 3, #KEYS, 3 do
  release(KEYS[i - 1])
  gone = gone + redis.call('DEL', KEYS[i - 2])
  redis.call('DEL', KEYS[i])
  if index then redis.call('ZREM', index, KEYS[i - 2], KEYS[i - 1], KEYS[i]) end
end
return gone
""",
)

#: Keys: record, access time. Arguments: ttl, access time. Returns if it is there.
TOUCH = Script(
    _CLOCK,
    _KEEP,
    """
local ttl = ARGV[1]
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ttl == '' then
  redis.call('PERSIST', KEYS[1])
  redis.call('SET', KEYS[2], ARGV[2])
else
  redis.call('PEXPIRE', KEYS[1], ttl)
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ttl)
end
if KEYS[3] then
  local now = clock()
  local ends, mark = '+inf', '-inf'
  if ttl ~= '' then ends, mark = now + ttl, -(now + ttl) end
  keep(KEYS[3], now, ttl, ends, KEYS[1], mark, KEYS[2])
end
return 1
""",
)

#: Keys: the index. Arguments: how many members to drop. Returns how many are left.
DROP = Script("""
local names = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
if #names == 0 then return 0 end
redis.call('DEL', unpack(names))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, #names - 1)
return redis.call('ZCARD', KEYS[1])
""")

#: Keys: the index. Returns how many records have expired since it was last changed,
#: and how many there are.
COUNT = Script(
    _CLOCK,
    _EXPIRED,
    """
local first, last = expired(clock())
local gone = redis.call('ZCOUNT', KEYS[1], 0, last)
redis.call('ZREMRANGEBYSCORE', KEYS[1], first, last)
return {gone, redis.call('ZCOUNT', KEYS[1], 0, '+inf')}
""",
)

#: Keys: record, lease. Arguments: token, ttl.
#: Returns 0 if another has it, else the record, or 1 if there is none.
TAKE = Script(
    _CLOCK,
    _KEEP,
    """
local token = redis.call('HGET', KEYS[2], 'token')
if token and token ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'token', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if KEYS[3] then
  local now = clock()
  keep(KEYS[3], now, ARGV[2], -(now + ARGV[2]), KEYS[2])
end
return redis.call('GET', KEYS[1]) or 1
""",
)

#: Keys: lease. Arguments: name of the wake list. Returns the milliseconds until the
#: lease lapses, 0 if there is none.
ANNOUNCE = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'wake', ARGV[1])
redis.call('HINCRBY', KEYS[1], 'waiters', 1)
return redis.call('PTTL', KEYS[1])
""")

#: Keys: lease. Arguments: token, ttl. Returns if it was ours.
RENEW = Script(
    _CLOCK,
    _KEEP,
    """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if KEYS[2] then
  local now = clock()
  keep(KEYS[2], now, ARGV[2], -(now + ARGV[2]), KEYS[1])
end
return 1
""",
)

#: Keys: lease. Arguments: token. Returns if it was ours.
FREE = Script(
    _RELEASE,
    """
local held = held_at(KEYS[1])
if held[1] ~= ARGV[1] then return 0 end
release(KEYS[1], held)
if KEYS[2] then redis.call('ZREM', KEYS[2], KEYS[1]) end
return 1
""",
)
