package changes

import "testing"

// TestChange: a change names its kinds by namespace, in a fixed order, and after lost reports every kind there is.
func TestChange(t *testing.T) {
	var c Change
	if c.Any() || c.All() != 0 || c.String() != "" {
		t.Errorf("no change: %v, of %v", c, c.All())
	}
	c.Note("testns", Addresses)
	c.Add(Change{Kinds: map[string]Kinds{"testns": Links, "prodns": Names}})
	copied := c.Clone()
	c.Note("testns", Filters)
	if got := copied.String(); got != "names in prodns; links, addresses in testns" || !copied.Any() {
		t.Errorf("the change is %q", got)
	}
	if got := c.All(); got != Names|Links|Addresses|Filters {
		t.Errorf("all kinds are %v", got)
	}
	c.Add(Change{Everything: true})
	if got := c.All(); got != Filters<<1-1 || len(words) != 13 || c.String() != "everything may have changed" {
		t.Errorf("the kinds of everything are %v: %v", got, c)
	}
}
