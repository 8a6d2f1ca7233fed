package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestGroupsAgainstIP compares the groups of each link with those that `ip maddress` shows.
func TestGroupsAgainstIP(t *testing.T) {
	w := rich(t)
	s, said := witnessed(t, w, "ip maddress show")
	for _, n := range s.Namespaces {
		for _, l := range n.Links {
			m, err := Groups(w, n.Name, l.Index)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, of := range []struct {
				kind   string
				groups []string
			}{{"inet", m.IPv4}, {"inet6", m.IPv6}, {"link", m.MAC}} {
				for _, g := range of.groups {
					got = append(got, of.kind+" "+g)
				}
			}
			var want []string
			ours := false
			for line := range strings.Lines(said[n.Name]["ip maddress show"]) {
				fields := strings.Fields(line)
				switch {
				case len(fields) < 2:
				case !strings.HasPrefix(line, "\t"):
					ours = fields[0] == fmt.Sprint(l.Index, ":")
				case ours:
					want = append(want, fields[0]+" "+fields[1])
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			equal(t, got, want)
		}
	}
}

func TestParseGroups(t *testing.T) {
	const igmp = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n" +
		"5\td1        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n" +
		"51\td0        :     2      V3\n\t\t\t\t030201EF     1 0:00000000\t\t0\n\t\t\t\t010000E0     1 " +
		"0:00000000\t\t0\n"
	if native.Uint16([]byte{1, 0}) == 1 {
		equal(t, parseIGMP(igmp, 51), []string{"239.1.2.3", "224.0.0.1"})
		equal(t, parseIGMP(igmp, 5), []string{"224.0.0.1"})
	}
	equal(t, len(parseIGMP(igmp, 1)), 0)
	const igmp6 = "1    lo              ff020000000000000000000000000001     1 0000000C 0\n" +
		"51   d0              ff0200000000000000000001ff020003     1 00000004 0\n"
	equal(t, parseIGMP6(igmp6, 51), []string{"ff02::1:ff02:3"})
	equal(t, parseDevMulticast("2    br0             1     0     333300000001\n51   d0   2    0     01005e000001\n",
		51),
		[]string{"01:00:5e:00:00:01"})
}
