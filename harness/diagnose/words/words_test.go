package words

import (
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
		if got := IP(&state.Namespace{Name: c.netns}, "link set %s up", c.link); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.netns, c.link, got, c.want)
		}
	}
	if got, want := In(&state.Namespace{Name: "a"}, "sysctl -w net.ipv4.conf.%s.rp_filter=%d", "$x", 2),
		"ip netns exec a sysctl -w net.ipv4.conf.'$x'.rp_filter=2"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestAShellReadsBackWhatIsQuoted: a shell reads a quoted word with any character in it, or at its beginning, as that
// word.
func TestAShellReadsBackWhatIsQuoted(t *testing.T) {
	all := []string{"in", "'", "''", `\'`, "a b", "é\u200b", "a'b'c"}
	for c := rune(1); c < 128; c++ {
		all = append(all, string(c), string(c)+"x", "x"+string(c)+"x")
	}
	for _, word := range all {
		if strings.Contains(word, "\r") { // the parser drops it, a shell does not
			continue
		}
		var read []*syntax.Word
		p := syntax.NewParser(syntax.Variant(syntax.LangPOSIX))
		for w, err := range p.WordsSeq(strings.NewReader("echo " + Quoted(word) + " end")) {
			if err != nil {
				t.Fatalf("%q: %v", word, err)
			}
			read = append(read, w)
		}
		if got, err := expand.Fields(&expand.Config{}, read...); err != nil ||
			!slices.Equal(got, []string{"echo", word, "end"}) {
			t.Errorf("%q: %s is read as %q, %v", word, Quoted(word), got, err)
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
		if got, want := IP(&state.Namespace{Name: "host"}, "link set %s up", c.link), "ip "+c.want; got != want {
			t.Errorf("%s: %s, want %s", c.link, got, want)
		}
	}
	if got, want := IP(&state.Namespace{Name: "host"}, "link set %s type bridge stp_state 1", "m"),
		"ip link set dev m type bridge stp_state 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
