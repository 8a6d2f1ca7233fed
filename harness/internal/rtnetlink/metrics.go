package rtnetlink

import (
	"strconv"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// routeMetrics are the numbers of the metrics (RTAX_… in linux/rtnetlink.h).
var routeMetrics = map[string]int{"window": unix.RTAX_WINDOW, "advmss": unix.RTAX_ADVMSS,
	"hoplimit":   unix.RTAX_HOPLIMIT,
	"reordering": unix.RTAX_REORDERING, "cwnd": unix.RTAX_CWND, "initcwnd": unix.RTAX_INITCWND,
	"initrwnd": unix.RTAX_INITRWND, "ssthresh": unix.RTAX_SSTHRESH, "quickack": unix.RTAX_QUICKACK,
	"fastopen_no_cookie": unix.RTAX_FASTOPEN_NO_COOKIE, "rto_min": unix.RTAX_RTO_MIN, "congctl": unix.RTAX_CC_ALGO,
	"features": unix.RTAX_FEATURES}

// putMoreMetrics adds metrics and returns the bits of those that are locked.
func putMoreMetrics(metrics *nl.RtAttr, list []operation.RouteMetric) (locks uint32) {
	for _, m := range list {
		attribute := routeMetrics[m.Word]
		if m.Lock || m.Word == "rto_min" {
			locks |= 1 << attribute
		}
		switch m.Word {
		case "congctl":
			metrics.AddRtAttr(attribute, []byte(m.Value))
		case "features":
			metrics.AddRtAttr(attribute, nl.Uint32Attr(unix.RTAX_FEATURE_ECN))
		default:
			n, _ := strconv.ParseUint(strings.TrimSuffix(m.Value, "ms"), 10, 32)
			metrics.AddRtAttr(attribute, nl.Uint32Attr(uint32(n)))
		}
	}
	return locks
}
