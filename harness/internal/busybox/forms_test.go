package busybox

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/internal/kernel"
	"netnscheck/harness/internal/labtest"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// The file has commands of each form, a tab before each, after commands that make what they are about. Two forms have
// none: what busybox does otherwise there shows in how long it takes, and on machines without iproute2's files.
const examples = "testdata/forms.txt"

// TestEachFormIsOtherwise has busybox itself carry the examples out: if it did what iproute2 does, the harness need not
// do it.
func TestEachFormIsOtherwise(t *testing.T) {
	newDriver(t)
	labtest.Needs(t, "ip", "ping")
	if version := kernel.Busybox(); !strings.HasPrefix(version, triedWith+".") {
		sandbox.Lacking(t, fmt.Sprintf("the table is for busybox %s; this is %s", triedWith, version))
	}
	next := 0
	for line := range strings.Lines(labtest.Read(t, examples)) {
		line, isExample := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\t")
		if !isExample {
			if next == len(forms) || forms[next].words != line {
				t.Fatalf("%s: %q is not the next form", examples, line)
			}
			next++
			continue
		}
		is := forms[next-1].is
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			before := strings.Split(line, "; ")
			last := labtest.Command(t, before[len(before)-1])
			before = before[:len(before)-1]
			c, err := operation.Parse(last.Argv)
			if err != nil || !is(c.Op) {
				t.Fatalf("%q is not of the form: %v", last.Text, err)
			}
			ours, theirs := labtest.World(t), labtest.World(t)
			build(t, ours, before)
			build(t, theirs, before)
			said, status := labtest.Run(t, ours, argv(c.Op))
			_, realStatus := labtest.Run(t, theirs, last.Argv)
			same := len(state.Compare(labtest.Observed(t, theirs), labtest.Observed(t, ours), "iproute2",
				"busybox")) == 0
			if same && (status == 0) == (realStatus == 0) {
				t.Errorf("%q does what %q does, and says %q", argv(c.Op), last.Text, said)
			}
		})
	}
	if next != len(forms) {
		t.Errorf("%s has no %q", examples, forms[next].words)
	}
}

// TestEveryWordIsDecided holds for each field of an operation that either busybox can say it, or there is a form for
// it.
func TestEveryWordIsDecided(t *testing.T) {
	for _, c := range []struct {
		op      operation.Operation
		sayable string
	}{
		{operation.LinkAdd{}, "Name Address Link Kind Bridge VLAN VXLAN Macvlan IPvlan VRF"},
		// Bridge and BridgePort stand with Kind alone, for which there is a form.
		{operation.LinkSet{}, "Name Up NewName MTU Address Master Netns ARP Promisc Multicast Bridge BridgePort"},
		{operation.LinkDelete{}, "Name Kind"},
		{operation.AddressChange{},
			"Verb Prefix AnyLength Dev Peer Broadcast Anycast Label Scope ValidLft PreferredLft NoPrefixRoute"},
		{operation.AddressFlush{Family: operation.FamilyV6}, "Dev To Scope Label Up"},
		{operation.RouteChange{},
			"Verb Family Type Default To Via Dev Src Table Metric Proto Scope OnLink MTU MTULock AdvMSS"},
		{operation.RouteFlush{}, "Cache"},
		{operation.RuleChange{},
			"Verb Family Priority From FromAll To TOS Mark Mask IIf Table Type SuppressPrefixLength SuppressIfGroup"},
		{operation.NeighbourFlush{}, "Family Dev To State"},
		{operation.Ping{}, "Dest Family Count Interval Size Source Numeric Quiet TTL Adaptive Pattern"},
	} {
		op := reflect.New(reflect.TypeOf(c.op)).Elem()
		for _, field := range words(op) {
			if field.Name == "LinkDown" || field.Name == "Dead" {
				continue // words of a check alone
			}
			op.Set(reflect.ValueOf(c.op))
			value := op.FieldByIndex(field.Index)
			write(value)
			listed := slices.Contains(strings.Fields(c.sayable), field.Name)
			if f, lacks := formOf(op.Interface().(operation.Operation)); lacks == listed {
				t.Errorf("%T with %s: listed as sayable: %v, its form: %q", c.op, field.Name, listed, f.words)
			}
		}
	}
}

// words are the fields of an operation, those of the route, the rule or the link in it instead of that itself.
func words(op reflect.Value) (fields []reflect.StructField) {
	for _, f := range reflect.VisibleFields(op.Type()) {
		nested := f.Type.Kind() == reflect.Struct && f.Type.PkgPath() == op.Type().PkgPath()
		switch {
		case nested && !f.Anonymous:
			for _, inner := range reflect.VisibleFields(f.Type) {
				inner.Index = append(slices.Clone(f.Index), inner.Index...)
				fields = append(fields, inner)
			}
		case !nested:
			fields = append(fields, f)
		}
	}
	return fields
}

// write gives a field a value that it has only when something is written.
func write(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("1")
	case reflect.Int:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		switch options := v.Interface().(type) { // as Parse has them when no option is written
		case *operation.VLANOptions:
			options.Protocol = "802.1Q"
		case *operation.VXLANOptions:
			options.ID = -1
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Struct:
		switch v.Interface().(type) {
		case netip.Addr:
			v.Set(reflect.ValueOf(netip.MustParseAddr("fd00::1")))
		case netip.Prefix:
			v.Set(reflect.ValueOf(netip.MustParsePrefix("fd00::/64")))
		}
	}
}
