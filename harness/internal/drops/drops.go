// Package drops hears what the kernel says of the packets that it drops: the reason, the place in its code, the
// namespace and the link (the tracepoint kfree_skb, with reasons since Linux 5.17). It may be imported by lab and by
// the command line. It listens for the packets of one flow in given namespaces, from the initial user namespace alone;
// it sends nothing, changes nothing, and leaves nothing in the kernel once it is closed.
package drops

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// Filter says which packets are listened for: those in these namespaces from or to one of these addresses, packets of
// tunnels with one inside, and requests for neighbours.
type Filter struct {
	Namespaces []uint64 // inodes
	Addresses  []netip.Addr
}

// Drop is a packet that the kernel dropped.
type Drop struct {
	// Reason is its word for why, such as NETFILTER_DROP, without the SKB_DROP_REASON_ of enum skb_drop_reason.
	Reason string
	// Place is the function that dropped it; "" if the kernel does not show its symbols (kernel.kptr_restrict).
	Place  string
	Netns  uint64 // inode
	Link   string // "" if the packet was on none, or not yet
	Packet Packet
}

// Unavailable is why the kernel cannot be heard on this machine.
type Unavailable struct{ Reason string }

func (u *Unavailable) Error() string { return "hear what the kernel drops: " + u.Reason }

// Listener hears drops from Listen until Close.
type Listener struct {
	kernel *kernel
	loaded *ebpf.Collection
	reader *ringbuf.Reader
	link   link.Link
}

// Listen starts to listen. The error is an *Unavailable if this kernel does not tell, or not this user.
func Listen(f Filter) (*Listener, error) {
	k, err := theKernel()
	if err != nil {
		return nil, err
	}
	l := &Listener{kernel: k}
	if err := l.open(f); err != nil {
		l.Close()
		return nil, unavailable(err)
	}
	return l, nil
}

// bufferSize bounds what is kept of drops that nobody has read yet: some hundreds of records.
const bufferSize = 1 << 17

func (l *Listener) open(f Filter) (err error) {
	l.loaded, err = ebpf.NewCollectionWithOptions(&ebpf.CollectionSpec{
		Maps: map[string]*ebpf.MapSpec{
			namespacesMap: set(4, len(f.Namespaces)),
			endsMap:       set(16, len(f.Addresses)),
			ringMap:       {Type: ebpf.RingBuf, MaxEntries: bufferSize},
			lostMap:       {Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1},
		},
		Programs: map[string]*ebpf.ProgramSpec{programName: {
			Name: programName, Type: ebpf.Tracing, AttachType: ebpf.AttachTraceRawTp, AttachTo: "kfree_skb",
			License: license, Instructions: instructions(l.kernel.fields),
		}},
	}, ebpf.CollectionOptions{Cache: types})
	if err != nil {
		return fmt.Errorf("load the program: %w", err)
	}
	for _, inode := range f.Namespaces {
		if err := l.loaded.Maps[namespacesMap].Put(uint32(inode), uint8(1)); err != nil {
			return fmt.Errorf("tell the program of a namespace: %w", err)
		}
	}
	for _, a := range f.Addresses {
		if err := l.loaded.Maps[endsMap].Put(a.As16(), uint8(1)); err != nil {
			return fmt.Errorf("tell the program of an address: %w", err)
		}
	}
	if l.reader, err = ringbuf.NewReader(l.loaded.Maps[ringMap]); err != nil {
		return fmt.Errorf("open the buffer: %w", err)
	}
	if l.link, err = link.AttachTracing(link.TracingOptions{Program: l.loaded.Programs[programName]}); err != nil {
		return fmt.Errorf("attach the program: %w", err)
	}
	return nil
}

// set is a map whose keys are what it has.
func set(keySize uint32, size int) *ebpf.MapSpec {
	return &ebpf.MapSpec{Type: ebpf.Hash, KeySize: keySize, ValueSize: 1, MaxEntries: uint32(max(size, 1))}
}

// unavailable is err as an *Unavailable if the kernel refuses for want of privilege or of a part of itself.
func unavailable(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return &Unavailable{"that takes root outside of any user namespace"}
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, unix.ENOSYS):
		return &Unavailable{"this kernel cannot trace with BPF: " + err.Error()}
	}
	return fmt.Errorf("hear what the kernel drops: %w", err)
}

// Next waits for the next drop, until a time. The error is os.ErrDeadlineExceeded if there is none by then.
func (l *Listener) Next(ctx context.Context, until time.Time) (Drop, error) {
	l.reader.SetDeadline(until)
	stop := context.AfterFunc(ctx, func() { l.reader.Flush() })
	defer stop()
	record, err := l.reader.Read()
	if ctx.Err() != nil {
		return Drop{}, context.Cause(ctx)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return Drop{}, os.ErrDeadlineExceeded
	}
	if err != nil {
		return Drop{}, fmt.Errorf("hear what the kernel drops: %w", err)
	}
	return l.drop(record.RawSample)
}

// drop reads a record of the program.
func (l *Listener) drop(record []byte) (Drop, error) {
	if len(record) < recordSize {
		return Drop{}, fmt.Errorf("hear what the kernel drops: a record of %d bytes", len(record))
	}
	d := Drop{
		Reason: l.kernel.reason(binary.NativeEndian.Uint32(record[recordReason:])),
		Netns:  uint64(binary.NativeEndian.Uint32(record[recordNetns:])),
		Packet: decode(binary.BigEndian.Uint16(record[recordProtocol:]), record[recordPacket:recordSize]),
	}
	d.Link, _, _ = strings.Cut(string(record[recordLink:recordLink+linkSize]), "\x00")
	var err error
	d.Place, err = placeOf(binary.NativeEndian.Uint64(record[recordPlace:]))
	return d, err
}

// Lost is how many drops the buffer had no room for.
func (l *Listener) Lost() (uint64, error) {
	var n uint64
	if err := l.loaded.Maps[lostMap].Lookup(uint32(0), &n); err != nil {
		return 0, fmt.Errorf("count the drops that were not heard: %w", err)
	}
	return n, nil
}

// Close ends listening: the kernel detaches the program with its last descriptor.
func (l *Listener) Close() {
	if l.link != nil {
		l.link.Close()
	}
	if l.reader != nil {
		l.reader.Close()
	}
	if l.loaded != nil {
		l.loaded.Close()
	}
}
