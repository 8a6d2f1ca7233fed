package observe

import (
	"fmt"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// metricNames are the metrics that a state has as text, as ip-route(8) calls them.
var metricNames = map[uint16]string{
	unix.RTAX_WINDOW: "window", unix.RTAX_ADVMSS: "advmss", unix.RTAX_RTT: "rtt", unix.RTAX_RTTVAR: "rttvar",
	unix.RTAX_SSTHRESH: "ssthresh", unix.RTAX_CWND: "cwnd", unix.RTAX_REORDERING: "reordering",
	unix.RTAX_HOPLIMIT: "hoplimit", unix.RTAX_INITCWND: "initcwnd", unix.RTAX_INITRWND: "initrwnd",
	unix.RTAX_QUICKACK: "quickack", unix.RTAX_FASTOPEN_NO_COOKIE: "fastopen_no_cookie",
	unix.RTAX_FEATURES: "features", unix.RTAX_RTO_MIN: "rto_min", unix.RTAX_CC_ALGO: "congctl",
}

// routeMetrics reads RTA_METRICS; the first of them, if there are any locks, tells which are locked.
func routeMetrics(route *state.Route, data []byte) {
	locks := uint64(0)
	attributes(data, func(kind uint16, data []byte) {
		n := number(data)
		locked := kind < 64 && locks&(1<<kind) != 0
		switch kind {
		case unix.RTAX_LOCK:
			locks = n
			route.MTULock = n&(1<<unix.RTAX_MTU) != 0
			return
		case unix.RTAX_MTU:
			route.MTU = int(n)
			return
		case unix.RTAX_WINDOW:
			route.Window = int(n)
		case unix.RTAX_ADVMSS:
			route.AdvMSS = int(n)
		}
		common := kind == unix.RTAX_WINDOW || kind == unix.RTAX_ADVMSS
		if name := metricNames[kind]; name != "" && (!common || locked) {
			route.Metrics = append(route.Metrics, metricText(kind, name, locked, data))
		}
	})
}

func metricText(kind uint16, name string, locked bool, data []byte) string {
	const ecn = 1 // RTAX_FEATURE_ECN
	value := fmt.Sprint(number(data))
	switch {
	case kind == unix.RTAX_CC_ALGO:
		value = text(data)
	case kind == unix.RTAX_RTO_MIN:
		value, locked = value+"ms", false // it always is
	case kind == unix.RTAX_FEATURES && number(data) == ecn:
		value = "ecn"
	}
	if locked {
		value = "lock " + value
	}
	return name + " " + value
}
