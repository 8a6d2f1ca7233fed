package observe

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"netnscheck/harness/internal/netns"
)

// Counters are the counters of a namespace's network stack under the names that nstat(8) gives them: IpInReceives,
// IcmpInEchos, TcpExtTCPTimeouts, Ip6InReceives, … The counters of links are in state.Link.
func Counters(ctx context.Context, w *netns.World, ns string) (map[string]uint64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	counters := map[string]uint64{}
	err := w.Do(ns, func() error { return readCounters(counters) })
	if err != nil {
		return nil, fmt.Errorf("read counters of %s: %w", ns, err)
	}
	return counters, nil
}

// readCounters reads the files of the namespace of the calling thread; the IPv6 file may be missing.
func readCounters(into map[string]uint64) error {
	for _, file := range []string{"snmp", "netstat"} {
		data, err := os.ReadFile("/proc/thread-self/net/" + file)
		if err != nil {
			return err
		}
		parseCounterLines(string(data), into)
	}
	data, err := os.ReadFile("/proc/thread-self/net/snmp6")
	if os.IsNotExist(err) {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			counter(into, strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	return err
}

// parseCounterLines reads pairs of lines, a prefix with names and the same prefix with values.
func parseCounterLines(data string, into map[string]uint64) {
	lines := strings.Split(data, "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		prefix, names, _ := strings.Cut(lines[i], ":")
		_, values, _ := strings.Cut(lines[i+1], ":")
		value := strings.Fields(values)
		for j, name := range strings.Fields(names) {
			if j < len(value) {
				counter(into, prefix+name, value[j])
			}
		}
	}
}

// counter adds a value. The only one that may be negative (TcpMaxConn, -1 for no limit) is not a counter.
func counter(into map[string]uint64, name, value string) {
	if n, err := strconv.ParseUint(value, 10, 64); err == nil {
		into[name] = n
	}
}
