package lab_test

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/lab"
	"netnscheck/harness/state"
	"netnscheck/harness/state/drawing"
)

// star are the commands for a bridge in one namespace and this many namespaces around it, as a person would type them.
// Only the links are created in their final namespaces, since a move takes the kernel 15 ms and would hide everything
// else.
func star(nodes int) []string {
	lines := []string{"ip netns add hub", "ip -n hub link add br0 type bridge", "ip -n hub link set br0 up"}
	for i := range nodes {
		lines = append(lines,
			fmt.Sprintf("ip netns add n%d", i),
			fmt.Sprintf("ip -n hub link add p%d type veth peer name eth0 netns n%d", i, i),
			fmt.Sprintf("ip -n hub link set p%d master br0 up", i),
			fmt.Sprintf("ip -n n%d addr add %s/16 dev eth0", i, starAddress(i)),
			fmt.Sprintf("ip -n n%d link set eth0 up", i))
	}
	return lines
}

// starAddress is the address of a node.
func starAddress(i int) string { return fmt.Sprintf("10.9.%d.%d", i/250, i%250+1) }

// BenchmarkStar builds stars with the netlink driver and takes them down, and compares that with a plain program that
// sends the same requests. The cost of a namespace (us-a-node) must not grow with their number.
func BenchmarkStar(b *testing.B) {
	for _, nodes := range []int{10, 100, 500, 1000} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			lines := star(nodes)
			last := claimOf(b, fmt.Sprintf("`n%d` reaches `%s`", nodes-1, starAddress(0)))
			var ours, plain []time.Duration
			for range b.N {
				b.StopTimer()
				awaitSweep(b)
				plain = append(plain, timed(b, func() error { return plainStar(nodes) }))
				awaitSweep(b)
				b.StartTimer()
				ours = append(ours, timed(b, func() error {
					return inLab(b.Context(), lab.Options{}, func(l *lab.Lab) error {
						if err := l.Do(b.Context(), lab.Netlink(), lines...); err != nil {
							return err
						}
						return holds(b.Context(), l, last)
					})
				}))
			}
			b.ReportMetric(ms(percentile(ours, 10))/float64(nodes), "lab-ms/node")
			b.ReportMetric(ms(percentile(plain, 10))/float64(nodes), "plain-ms/node")
			b.ReportMetric(float64(percentile(ours, 10))/float64(percentile(plain, 10)), "times-plain")
		})
	}
}

// plainStar builds the star as a minimal program would: one thread creates one namespace after the other, never enters
// one again, and keeps a netlink socket in each. Closing the sockets removes the namespaces.
func plainStar(nodes int) error {
	return onOwnThread(func() error {
		hub, ns, err := plainNamespace()
		if err != nil {
			return err
		}
		defer unix.Close(ns)
		defer hub.Close()
		bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "br0", TxQLen: -1}}
		if err := errors.Join(hub.LinkAdd(bridge), hub.LinkSetUp(bridge)); err != nil {
			return err
		}
		for i := range nodes {
			node, ns, err := plainNamespace()
			if err != nil {
				return err
			}
			defer unix.Close(ns)
			defer node.Close()
			if err := plainNode(hub, node, ns, bridge.Index, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// onOwnThread runs f on a new thread, which ends with it.
func onOwnThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

func plainNamespace() (h *netlink.Handle, ns int, err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, 0, err
	}
	if h, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, 0, err
	}
	ns, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return h, ns, err
}

func plainNode(hub, node *netlink.Handle, ns, bridge, i int) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = fmt.Sprint("p", i)
	veth := netlink.NewVeth(attrs)
	veth.PeerName, veth.PeerNamespace = "eth0", netlink.NsFd(ns)
	if err := hub.LinkAdd(veth); err != nil {
		return err
	}
	eth0, err := node.LinkByName("eth0")
	if err != nil {
		return err
	}
	address, err := netlink.ParseAddr(starAddress(i) + "/16")
	if err != nil {
		return err
	}
	return errors.Join(hub.LinkSetMasterByIndex(veth, bridge), hub.LinkSetUp(veth), node.AddrAdd(eth0, address),
		node.LinkSetUp(eth0))
}

// awaitSweep waits until the kernel has removed the namespaces released before. It does that asynchronously, in batches
// (cleanup_net in net/core/net_namespace.c), and slows the creation of others meanwhile. awaitSweep releases one more
// and waits for the event that the link into it was deleted.
func awaitSweep(b *testing.B) {
	err := onOwnThread(func() error {
		last, ns, err := plainNamespace()
		if err != nil {
			return err
		}
		here, own, err := plainNamespace()
		if err != nil {
			return err
		}
		defer unix.Close(own)
		defer here.Close()
		events, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK)
		if err != nil {
			return err
		}
		defer events.Close()
		veth := netlink.NewVeth(netlink.LinkAttrs{Name: "here", TxQLen: -1})
		veth.PeerName, veth.PeerNamespace = "there", netlink.NsFd(ns)
		if err := here.LinkAdd(veth); err != nil {
			return err
		}
		last.Close()
		unix.Close(ns)
		for {
			messages, _, err := events.Receive()
			if err != nil {
				return err
			}
			for _, m := range messages {
				if m.Header.Type == unix.RTM_DELLINK {
					return nil
				}
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStarState reads the state of stars, with the packet filters, draws it, and diagnoses the path from the last
// node to the first.
func BenchmarkStarState(b *testing.B) {
	for _, nodes := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			dest := netip.MustParseAddr(starAddress(0))
			err := inLab(b.Context(), lab.Options{}, func(l *lab.Lab) error {
				if err := l.Do(b.Context(), lab.Netlink(), star(nodes)...); err != nil {
					return err
				}
				var read, drawn, diagnosed []time.Duration
				for b.Loop() {
					var s *state.State
					read = append(read, timed(b, func() (err error) {
						s, err = l.Whole(b.Context())
						return err
					}))
					drawn = append(drawn, timed(b, func() error {
						if !strings.Contains(drawing.Of(s, drawing.Options{Width: 100}).Text(), "br0") {
							return errors.New("the bridge is not in the drawing")
						}
						return nil
					}))
					diagnosed = append(diagnosed, timed(b, func() error {
						if r := diagnose.Diagnose(s,
							diagnose.Query{From: fmt.Sprint("n", nodes-1), To: dest}); r.Cause != nil {
							return errors.New(r.Sentence())
						}
						return nil
					}))
				}
				b.ReportMetric(ms(percentile(read, 10))/float64(nodes), "read-ms/node")
				b.ReportMetric(ms(percentile(drawn, 10))/float64(nodes), "draw-ms/node")
				b.ReportMetric(ms(percentile(diagnosed, 10))/float64(nodes), "diagnose-ms/node")
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
