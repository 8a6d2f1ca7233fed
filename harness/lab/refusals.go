package lab

import (
	"net/netip"
	"sync"
	"time"

	"netnscheck/harness/claim"
)

// refusals remembers which refusals were heard, because a host limits the ICMP errors that it sends to another one: six
// at once, then one a second (inet_peer_xrlim_allow in net/ipv4/inetpeer.c, icmp_ratelimit in icmp(7)). Beyond the
// limit a refused packet meets silence, so silence then proves nothing.
type refusals struct {
	mu   sync.Mutex
	left map[way]allowance
}

// way leads from a namespace to an address.
type way struct {
	netns string
	dest  netip.Addr
}

// allowance is how many errors the host may send now, at a time.
type allowance struct {
	errors float64
	at     time.Time
}

const (
	mostAtOnce = 6.0
	perSecond  = 0.9 // a little less than the kernel counts
	surelyOne  = 1.1
)

// heard takes note of a refusal, and does not call silence what may be a refusal beyond the limit.
func (r *refusals) heard(netns string, dest netip.Addr, h claim.Heard) claim.Heard {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, key := time.Now(), way{netns, dest}
	a, known := r.left[key]
	if !known {
		a = allowance{mostAtOnce, now}
	}
	a = allowance{min(mostAtOnce, a.errors+perSecond*now.Sub(a.at).Seconds()), now}
	switch {
	case h.Refused:
		a.errors = max(0, a.errors-1)
	case h.Silence && a.errors < surelyOne:
		h.Silence = false
		h.Found += "; after so many refusals this may be another one (icmp_ratelimit)"
	}
	if r.left == nil {
		r.left = map[way]allowance{}
	}
	r.left[key] = a
	return h
}

// patience is how long it takes until silence from an address proves something again.
func (r *refusals) patience(netns string, dest netip.Addr) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, known := r.left[way{netns, dest}]
	if !known || a.errors >= surelyOne {
		return 0
	}
	return time.Duration((surelyOne-a.errors)/perSecond*float64(time.Second)) - time.Since(a.at)
}
