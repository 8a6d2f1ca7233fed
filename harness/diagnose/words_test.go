package diagnose

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"netnscheck/harness/state"
)

// The names of interfaces may come from inside a container, and an operator may paste a repair into a root shell.
func TestNamesAreQuotedForTheShell(t *testing.T) {
	for _, c := range []struct{ netns, link, want string }{
		{"testns", "eth0", "ip -n testns link set eth0 up"},
		{"host", "eth0.5@x", "ip link set eth0.5@x up"},
		{"host", "a;reboot", "ip link set 'a;reboot' up"},
		{"x y;$(id)", "q'q", `ip -n 'x y;$(id)' link set 'q'\''q' up`},
		{"pid:17", "eth0", "nsenter -t 17 -n ip link set eth0 up"},
	} {
		if got := ip(&state.Namespace{Name: c.netns}, "link set %s up", c.link); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.netns, c.link, got, c.want)
		}
	}
	if got, want := in(&state.Namespace{Name: "a"}, "sysctl -w net.ipv4.conf.%s.rp_filter=%d", "$x", 2),
		"ip netns exec a sysctl -w net.ipv4.conf.'$x'.rp_filter=2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestAShellReadsBackWhatIsQuoted: a shell reads a quoted word with any character in it, or at its beginning, as that
// word.
func TestAShellReadsBackWhatIsQuoted(t *testing.T) {
	words := []string{"in", "'", "''", `\'`, "a b", "é\u200b", "a'b'c"}
	for c := rune(1); c < 128; c++ {
		words = append(words, string(c), string(c)+"x", "x"+string(c)+"x")
	}
	for _, word := range words {
		if strings.Contains(word, "\r") { // the parser drops it, a shell does not
			continue
		}
		var read []*syntax.Word
		p := syntax.NewParser(syntax.Variant(syntax.LangPOSIX))
		for w, err := range p.WordsSeq(strings.NewReader("echo " + quoted(word) + " end")) {
			if err != nil {
				t.Fatalf("%q: %v", word, err)
			}
			read = append(read, w)
		}
		if got, err := expand.Fields(&expand.Config{}, read...); err != nil ||
			!slices.Equal(got, []string{"echo", word, "end"}) {
			t.Errorf("%q: %s is read as %q, %v", word, quoted(word), got, err)
		}
	}
}

// TestNamesThatAreOptions: a name that ip would take for an option comes after the word dev.
func TestNamesThatAreOptions(t *testing.T) {
	for _, c := range []struct{ link, want string }{
		{"l", "link set dev l up"}, {"a", "link set dev a up"}, {"up", "link set dev up up"},
		{"link", "link set dev link up"}, {"dev", "link set dev dev up"},
		{"type", "link set dev type up"}, {"mast", "link set dev mast up"}, {"lo", "link set lo up"},
		{"eth0", "link set eth0 up"}, {"up0", "link set up0 up"},
	} {
		if got, want := ip(&state.Namespace{Name: "host"}, "link set %s up", c.link), "ip "+c.want; got != want {
			t.Errorf("%s: %s, want %s", c.link, got, want)
		}
	}
	if got, want := ip(&state.Namespace{Name: "host"}, "link set %s type bridge stp_state 1", "m"),
		"ip link set dev m type bridge stp_state 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestWhatIsNotFollowedIsOutOfSight(t *testing.T) {
	for kind, want := range map[string]bool{"": true, "tun": true, "bond": true, "wireguard": true, "bridge": false,
		"vxlan": false, "veth": false} {
		if got := outOfSight(&state.Link{Kind: kind, Up: true, Carrier: true}); got != want {
			t.Errorf("%q: %v", kind, got)
		}
	}
	if !outOfSight(&state.Link{Kind: "veth", Up: true, Carrier: true, Peer: &state.LinkRef{Hidden: true}}) {
		t.Error("a veth whose peer is hidden")
	}
	if outOfSight(&state.Link{Kind: "", Up: true}) {
		t.Error("a card without a signal")
	}
}

// TestNamesForIP: ip knows a namespace by its name, and one without a name by a process.
func TestNamesForIP(t *testing.T) {
	for name, want := range map[string]string{"host": "PID", "pid:4711": "4711", "a": "a", "a b": "'a b'"} {
		s := &state.State{Namespaces: []state.Namespace{{Name: name, Rules: defaultRules(),
			Links: []state.Link{loopback()}}}}
		r := Diagnose(s, Query{From: name, To: netip.MustParseAddr("10.0.0.1")})
		if r.Cause == nil || !slices.Equal(r.Cause.Advice, []string{"ip link set IFACE netns " + want}) ||
			len(r.Cause.Repair) > 0 {
			t.Errorf("%s: %+v", name, r.Cause)
		}
	}
}
