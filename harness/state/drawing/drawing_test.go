package drawing_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
	"netnscheck/harness/term"
)

var update = flag.Bool("update", false, "write the golden files")

var samples = map[string]func() *sample{
	"pair": pairSample, "half-up": halfUpSample, "star-3": func() *sample {
		return starSample(3)
	}, "star-50": func() *sample { return starSample(50) },
	"star-50-faults": starWithFaultsSample, "chain-5": func() *sample {
		return chainSample(5)
	}, "router": routerSample, "two-bridges": twoBridgesSample,
	"lone": func() *sample {
		return newSample("alone")
	}, "strange": strangeSample, "nothing": func() *sample { return newSample() },
	"words": wordsSample, "macvlan": macvlanSample,
}

func TestGolden(t *testing.T) {
	for name, make := range samples {
		s := &make().State
		for _, o := range []drawing.Options{{Width: 80}, {Width: 80, ASCII: true}, {Width: 120}} {
			file := fmt.Sprintf("%s-%d", name, o.Width)
			if o.ASCII {
				file += "-ascii"
			}
			t.Run(file, func(t *testing.T) { golden(t, file+".txt", drawing.Of(s, o).Text()) })
		}
		t.Run(name+"-svg", func(t *testing.T) {
			golden(t, name+".svg", drawing.Of(s, drawing.Options{Width: 120}).SVG())
		})
	}
}

// TestFallbackTunnels: what a module of the kernel puts into every namespace is not drawn, and hides no change.
func TestFallbackTunnels(t *testing.T) {
	s := pairSample()
	o := drawing.Options{Width: 80, Changed: []string{"testns: vnic-testns: MTU 1500, then 1400"}}
	want := drawing.Of(&s.State, o).Text()
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		n.Links = slices.Insert(n.Links, 1, state.Link{Index: 9, Name: "tunl0", Kind: "ipip", MTU: 1480})
	}
	if got := drawing.Of(&s.State, o).Text(); got != want {
		t.Errorf("drawn is\n%s\nwant\n%s", got, want)
	}
	s.named("testns", "tunl0").Up = true
	if got := drawing.Of(&s.State, o).Text(); !strings.Contains(got, "tunl0") {
		t.Errorf("one that is up is not drawn:\n%s", got)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// TestAnyTopology draws graphs of all sorts in all widths: nothing is wider than allowed, nothing overlaps, every
// namespace is there, and every character is printable.
func TestAnyTopology(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it draws 150 random networks")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 150 {
		s := randomSample(random)
		o := drawing.Options{Width: 20 + random.IntN(160), ASCII: random.IntN(3) == 0}
		d := drawing.Of(&s.State, o)
		text := d.Text()
		for _, line := range strings.Split(text, "\n") {
			if n := term.Width(line); n > o.Width {
				t.Fatalf("%d columns instead of %d:\n%s", n, o.Width, text)
			}
		}
		for _, r := range text {
			if r != '\n' && !unicode.IsPrint(r) || o.ASCII && r >= 0x80 {
				t.Fatalf("%q in %+v:\n%s", r, o, text)
			}
		}
		if o.Width >= 60 {
			for _, n := range s.Namespaces {
				if !strings.Contains(text, n.Name) {
					t.Fatalf("%s is missing:\n%s", n.Name, text)
				}
			}
		}
		apart(t, d)
		wellFormed(t, d.SVG())
	}
}

// TestWideNames: a character of two columns, and one of several code points, moves no border of a box.
func TestWideNames(t *testing.T) {
	for _, name := range []string{"plain", "世界", "한국어", "ｆｕｌｌ", "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea",
		"u\u0308ber"} {
		s := newSample(name)
		s.link(name, "eth0", "veth", "192.0.2.1/24")
		text := drawing.Of(&s.State, drawing.Options{Width: 60}).Text()
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		for _, line := range lines[:3] {
			if term.Width(line) != term.Width(lines[0]) {
				t.Errorf("the box of %q is crooked:\n%s", name, text)
				break
			}
		}
	}
}

// apart checks that boxes do not touch each other and that no wire goes through one.
func apart(t *testing.T, d *drawing.Drawing) {
	t.Helper()
	owner := map[drawing.Point]int{}
	for i, b := range d.Boxes {
		for y := b.Y; y < b.Y+b.H; y++ {
			for x := b.X; x < b.X+b.W; x++ {
				if _, taken := owner[drawing.Point{X: x, Y: y}]; taken {
					t.Fatalf("two boxes overlap:\n%s", d.Text())
				}
				owner[drawing.Point{X: x, Y: y}] = i
			}
		}
	}
	for _, w := range d.Wires {
		for i := 1; i < len(w.Points); i++ {
			a, b := w.Points[i-1], w.Points[i]
			for y := min(a.Y, b.Y); y <= max(a.Y, b.Y); y++ {
				for x := min(a.X, b.X); x <= max(a.X, b.X); x++ {
					k, inBox := owner[drawing.Point{X: x, Y: y}]
					if box := d.Boxes[k]; inBox && x > box.X && x < box.X+box.W-1 && y > box.Y && y < box.Y+box.H-1 {
						t.Fatalf("the wire of %s goes through %s:\n%s", w.Says, box.Title, d.Text())
					}
				}
			}
		}
	}
}

// randomSample has namespaces with bridges, cables between any two, rings, chains and stars among them.
func randomSample(random *rand.Rand) *sample {
	var names []string
	for i := range 1 + random.IntN(60) {
		names = append(names, fmt.Sprintf("ns%d", i))
	}
	s := newSample(names...)
	sort := random.IntN(4)
	for i := 1; i < len(names); i++ {
		from := 0
		switch sort {
		case 1:
			from = i - 1
		case 2:
			from = i / 2
		case 3:
			from = random.IntN(i)
		}
		cables := 1 + random.IntN(5)/4
		if random.IntN(40) == 0 {
			cables = random.IntN(60)
		}
		for range cables {
			a, b := fmt.Sprint("a", s.index), fmt.Sprint("b", s.index)
			s.cable([]string{names[from], a}, []string{names[i], b, fmt.Sprintf("10.0.%d.%d/24", from, i)})
			if random.IntN(3) == 0 {
				bridge := fmt.Sprint("br", random.IntN(6))
				if s.named(names[from], bridge) == nil {
					s.link(names[from], bridge, "bridge")
				}
				s.port(names[from], a, bridge)
			}
			if random.IntN(5) == 0 {
				s.named(names[i], b).Up = false
			}
		}
	}
	for range random.IntN(4) {
		a, b := random.IntN(len(names)), random.IntN(len(names))
		s.cable([]string{names[a], fmt.Sprint("x", s.index)}, []string{names[b], fmt.Sprint("y", s.index)})
	}
	return s
}

// TestPortsOfPorts: the ports of a bridge that is itself a port of a VRF are shown.
func TestPortsOfPorts(t *testing.T) {
	s := newSample("host", "n1")
	s.link("host", "vrf0", "vrf")
	s.link("host", "br0", "bridge").Master = "vrf0"
	s.cable([]string{"host", "v1"}, []string{"n1", "eth0"})
	s.port("host", "v1", "br0")
	text := drawing.Of(&s.State, drawing.Options{Width: 80}).Text()
	for _, want := range []string{"│ vrf0   ●", "│   br0  ●", "│     v1 ●"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestMastersAreNotFolded: masters are similar only if their ports are.
func TestMastersAreNotFolded(t *testing.T) {
	s := newSample("host")
	for i := range 8 {
		s.link("host", fmt.Sprint("bond", i), "bond")
		s.link("host", fmt.Sprint("eth", i), "").Master = fmt.Sprint("bond", i)
	}
	text := drawing.Of(&s.State, drawing.Options{Width: 80}).Text()
	for i := range 8 {
		if !strings.Contains(text, fmt.Sprintf("  eth%d ", i)) {
			t.Errorf("no eth%d in\n%s", i, text)
		}
	}
}

// TestAnyStateFile: a state from elsewhere may hold anything; its drawing is printable, and drawing it terminates.
func TestAnyStateFile(t *testing.T) {
	const bad = "\x1b[31m\n"
	s := pairSample()
	s.Namespaces[0].Links = append(s.Namespaces[0].Links, []state.Link{
		{Name: "x" + bad, Kind: bad, Up: true, Carrier: true, Port: &state.Port{State: bad}, Macvlan: bad, Master: bad,
			Peer: &state.LinkRef{Name: bad, Netns: bad}},
		{Name: "t", VXLAN: &state.VXLAN{Remote: netip.MustParseAddr("fe80::1%" + bad)}, Addresses: []state.Address{{}}},
		{Name: "own", Master: "own"}, {Name: "own", Master: "own"}, {Name: "one", Master: "two"},
		{Name: "two", Master: "one"}, {Name: "same"}, {Name: "same", Master: "same"},
	}...)
	s.Namespaces[0].Routes = append(s.Namespaces[0].Routes, state.Route{
		Table: state.TableMain, Type: bad, To: netip.MustParsePrefix("::/0"),
		Nexthops: []state.Nexthop{{Via: netip.MustParseAddr("fe80::1%" + bad), Dev: bad}},
	})
	s.Namespaces[0].Unread, s.NotNamespaces = []string{bad}, []string{bad}
	for _, o := range []drawing.Options{{Width: 100}, {Width: 100, ASCII: true}} {
		d := drawing.Of(&s.State, o)
		json, err := json.Marshal(d.Topology)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{d.Text(), d.SVG(), string(json)} {
			if strings.ContainsAny(text, "\x1b") || strings.Contains(text, `\u001b`) {
				t.Errorf("%+v: %q", o, text)
			}
		}
		for _, name := range []string{"own", "one", "two", "same"} {
			if !strings.Contains(d.Text(), " "+name+" ") {
				t.Errorf("no %s in\n%s", name, d.Text())
			}
		}
	}
}

// TestSVG: it is well-formed, needs no other file, and describes in words what it shows.
func TestSVG(t *testing.T) {
	for name, make := range samples {
		d := drawing.Of(&make().State, drawing.Options{Width: 100})
		svg := d.SVG()
		wellFormed(t, svg)
		rest := strings.Replace(svg, `xmlns="http://www.w3.org/2000/svg"`, "", 1)
		for _, bad := range []string{"http", "url(", "@import", "<script", "href"} {
			if strings.Contains(rest, bad) {
				t.Errorf("%s: has %s", name, bad)
			}
		}
	}
	svg := drawing.Of(&halfUpSample().State, drawing.Options{Width: 100}).SVG()
	for _, want := range []string{`role="img"`, "<title id=", "<desc id=", "vnix-prodns no carrier 192.168.2.102/24",
		"vnic-testns down",
		"Cable from vnix-prodns in prodns to vnic-testns in testns, no carrier.", ">○ down</text>",
		">! no carrier</text>", ">×</text>"} {
		if !strings.Contains(svg, want) {
			t.Errorf("does not say %s:\n%s", want, svg)
		}
	}
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v:\n%s", err, svg)
		}
	}
}

func TestTopology(t *testing.T) {
	data, err := json.MarshalIndent(drawing.TopologyOf(&halfUpSample().State), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "half-up.json", string(data)+"\n")
}

// TestGapsInACrowd: a range of names excludes interfaces with a line of their own.
func TestGapsInACrowd(t *testing.T) {
	for want, down := range map[string][]int{
		"9 ports ● up: v1 … v9 │": nil, "8 ports ● up: v1 … v9 without v3 │": {3},
		"7 ports ● up: v1 … v9 without v3 and v5 │":     {3, 5},
		"6 ports ● up: v1 … v9 without v3 and 2 more │": {3, 5, 7}, "8 ports ● up: v2 … v9 │": {1},
	} {
		s := newSample("host")
		s.link("host", "br0", "bridge")
		s.link("host", "w3", "bridge") // no gap, but another name
		for i := 1; i < 10; i++ {
			l := s.link("host", fmt.Sprint("v", i), "veth")
			l.Carrier = !slices.Contains(down, i)
			s.port("host", l.Name, "br0")
		}
		if text := drawing.Of(&s.State, drawing.Options{Width: 80}).Text(); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
