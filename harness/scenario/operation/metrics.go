package operation

import (
	"math"
	"strconv"
	"strings"
)

// RouteMetric is a metric of a route besides its mtu, advmss and window, or one of these that is locked.
type RouteMetric struct {
	Word string // as in ip-route(8)
	// Lock keeps the kernel from changing it. A rto_min is always locked.
	Lock bool
	// Value is a number, a rto_min in milliseconds; for congctl it is the name of an algorithm.
	Value string
}

// routeMetrics read the values of the metrics. Only those with a true lock may be locked.
var routeMetrics = map[string]struct {
	lock       bool
	understand func(keyword, value string) (string, error)
}{
	"advmss": {true, naturalText}, "window": {true, naturalText}, "hoplimit": {true, byteText},
	"reordering": {true, naturalText}, "cwnd": {true, naturalText}, "initcwnd": {true, naturalText},
	"initrwnd": {true, naturalText}, "ssthresh": {true, naturalText}, "congctl": {true, name},
	"quickack": {false, oneOf("0", "1")}, "fastopen_no_cookie": {false, oneOf("0", "1")},
	"features": {false, oneOf("ecn")},
	"rto_min":  {false, milliseconds},
}

// metric reads one of the routeMetrics.
func (r *Route) metric(w *words) func(string) error {
	return func(keyword string) error {
		m := RouteMetric{Word: keyword}
		metric := routeMetrics[keyword]
		if metric.lock && w.more() && w.left[0] == "lock" {
			m.Lock = true
			w.next()
		}
		if err := read(w, &m.Value, metric.understand)(keyword); err != nil {
			return err
		}
		r.Metrics = append(r.Metrics, m)
		return nil
	}
}

// unlocked is the action for a metric with a field of its own, which is among the Metrics if it is locked.
func (r *Route) unlocked(w *words, field **int) func(string) error {
	return func(keyword string) error {
		if w.more() && w.left[0] == "lock" {
			return r.metric(w)(keyword)
		}
		return readTo(w, field, natural)(keyword)
	}
}

func naturalText(keyword, value string) (string, error) {
	n, err := natural(keyword, value)
	return strconv.Itoa(n), err
}

// milliseconds reads a time in milliseconds, or in seconds if it ends in s.
func milliseconds(keyword, value string) (string, error) {
	digits, factor := value, 1
	switch {
	case strings.HasSuffix(value, "ms"):
		digits = strings.TrimSuffix(value, "ms")
	case strings.HasSuffix(value, "s"):
		digits, factor = strings.TrimSuffix(value, "s"), 1000
	}
	n, ok := number(digits, 0, math.MaxInt32/1000)
	if !ok {
		return "", usage(value, "%s takes a time such as 200ms", keyword)
	}
	return strconv.FormatInt(n*int64(factor), 10) + "ms", nil
}

func (out *argv) metrics(list []RouteMetric) {
	for _, m := range list {
		*out = append(*out, m.Word)
		out.flag("lock", m.Lock)
		*out = append(*out, m.Value)
	}
}
