package netns

import (
	"os"
	"strings"
	"testing"
)

// TestNewNamespacesAreAsTheKernelMakesThem changes settings as a machine's first namespace may have them, and looks whether they are seen and
// put right. (What that namespace really has cannot be changed from here.)
func TestNewNamespacesAreAsTheKernelMakesThem(t *testing.T) {
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Add("testns"); err != nil {
		t.Fatal(err)
	}
	err = w.Do("testns", func() error {
		if found, err := deviations(); err != nil || len(found) > 0 {
			t.Errorf("a new namespace deviates in %v, %v", found, err)
		}
		for _, path := range []string{"ipv4/ip_forward", "ipv4/conf/all/rp_filter", "ipv4/conf/default/arp_ignore"} {
			if err := os.WriteFile("/proc/sys/net/"+path, []byte("1"), 0); err != nil {
				return err
			}
		}
		found, err := deviations()
		if err != nil || len(found) != 3 {
			t.Errorf("deviations: %v, %v; want 3", found, err)
		}
		if err := put(found); err != nil {
			return err
		}
		if found, err := deviations(); err != nil || len(found) > 0 {
			t.Errorf("after they were put right there are %v, %v", found, err)
		}
		forwarding, err := os.ReadFile("/proc/sys/net/ipv4/conf/default/forwarding")
		if strings.TrimSpace(string(forwarding)) != "0" {
			t.Errorf("new links forward: %s", forwarding)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
