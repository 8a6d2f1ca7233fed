package feed

import (
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzMessages: whatever a datagram and its control messages are, they are read to their end and no further.
func FuzzMessages(f *testing.F) {
	link := []byte{20, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0}
	id := native.AppendUint64(nil, uint64(unix.CmsgLen(4)))
	id = native.AppendUint32(native.AppendUint32(id, unix.SOL_NETLINK), unix.NETLINK_LISTEN_ALL_NSID)
	id = append(id, 5, 0, 0, 0, 0, 0, 0, 0)
	f.Add(link, id)
	f.Add(append(link, link...), append(id, id...))
	f.Add(link[:19], id[:12])
	if unix.SizeofPtr == 8 && namespaceOf(id) != 5 {
		f.Fatalf("the id of %v is %d", id, namespaceOf(id))
	}
	f.Fuzz(func(t *testing.T, datagram, control []byte) {
		size := 0
		messages(datagram, func(m message) {
			size += unix.NLMSG_HDRLEN + len(m.body)
			kindOf(m)
			attribute(m.body, unix.NETNSA_NSID)
		})
		if size > len(datagram) {
			t.Errorf("%d bytes of messages in %d", size, len(datagram))
		}
		namespaceOf(control)
	})
}
