package observe

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

const (
	sizeofTC   = 20 // struct tcmsg
	tcaKind    = 1  // TCA_KIND
	tcaOptions = 2  // TCA_OPTIONS
)

// readQdiscs reads the queueing disciplines. Those attached by default have no handle.
func (r *reading) readQdiscs() (err error) {
	r.Qdiscs, err = dump(r.route, unix.RTM_GETQDISC, make([]byte, sizeofTC), r.parseQdisc)
	return err
}

func (r *reading) parseQdisc(body []byte) (state.Qdisc, bool) {
	if len(body) < sizeofTC {
		return state.Qdisc{}, false
	}
	handle := native.Uint32(body[8:])
	q := state.Qdisc{
		Dev:     r.name(int(native.Uint32(body[4:]))),
		Handle:  fmt.Sprintf("%x:", handle>>16),
		Parent:  parentText(native.Uint32(body[12:])),
		Default: handle == 0,
	}
	var options []byte
	attributes(body[sizeofTC:], func(kind uint16, data []byte) {
		switch kind {
		case tcaKind:
			q.Kind = text(data)
		case tcaOptions:
			options = data
		}
	})
	if !q.Default {
		q.Options = qdiscOptions(q.Kind, options)
	}
	return q, q.Kind != ""
}

// parentText is root, or the parent class as tc(8) prints it.
func parentText(parent uint32) string {
	if parent == math.MaxUint32 {
		return "root"
	}
	major, minor := parent>>16, parent&0xffff
	var text strings.Builder
	if major != 0 {
		fmt.Fprintf(&text, "%x", major)
	}
	text.WriteByte(':')
	if minor != 0 {
		fmt.Fprintf(&text, "%x", minor)
	}
	return text.String()
}

// qdiscOptions are the settings of the simple queues and the token bucket as text; for other kinds, the attribute in
// hexadecimal, which is enough to show a difference.
func qdiscOptions(kind string, data []byte) string {
	switch {
	case kind == "pfifo" && len(data) >= 4:
		return fmt.Sprintf("limit %dp", native.Uint32(data))
	case kind == "bfifo" && len(data) >= 4:
		return fmt.Sprintf("limit %db", native.Uint32(data))
	case kind == "tbf":
		return tokenBucket(data)
	}
	return hex.EncodeToString(data)
}

// tokenBucket reads struct tc_tbf_qopt (TCA_TBF_PARMS): the rate in bytes per second, the queue in bytes, the bucket in
// ticks of 64 ns, and the same as attributes where they need 64 bits or bytes.
func tokenBucket(data []byte) string {
	const parms, rate64, burst = 1, 4, 6
	var rate, limit, bucket uint64
	attributes(data, func(kind uint16, data []byte) {
		switch {
		case kind == parms && len(data) >= 36:
			if rate == 0 {
				rate = uint64(native.Uint32(data[8:]))
			}
			limit = uint64(native.Uint32(data[24:]))
			if bucket == 0 {
				bucket = uint64(native.Uint32(data[28:])) * 64 * rate / 1e9
			}
		case kind == rate64:
			rate = number(data)
		case kind == burst:
			bucket = number(data)
		}
	})
	return fmt.Sprintf("rate %dbit burst %db limit %db", rate*8, bucket, limit)
}
