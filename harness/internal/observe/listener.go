package observe

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

const (
	sizeofDiagRequest = 56 // struct inet_diag_req_v2
	sizeofDiagAnswer  = 72 // struct inet_diag_msg
	stateClose        = 7  // TCP_CLOSE: a UDP socket that is not connected
	stateListen       = 10 // TCP_LISTEN
	diagV6Only        = 11 // INET_DIAG_SKV6ONLY
)

// readListeners reads the listening TCP sockets and the UDP sockets that receive datagrams from any peer.
func (r *reading) readListeners() error {
	r.Listeners = nil
	for _, of := range []struct {
		name            string
		protocol, state byte
	}{
		{"tcp", unix.IPPROTO_TCP, stateListen}, {"udp", unix.IPPROTO_UDP, stateClose},
	} {
		for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
			question := make([]byte, sizeofDiagRequest)
			question[0], question[1] = family, of.protocol
			native.PutUint32(question[4:], 1<<of.state)
			found, err := dump(r.diag, unix.SOCK_DIAG_BY_FAMILY, question, func(body []byte) (state.Listener, bool) {
				return parseListener(of.name, body)
			})
			if errors.Is(err, unix.ENOENT) {
				continue // a kernel without sock_diag for this protocol
			}
			if err != nil {
				return err
			}
			r.Listeners = append(r.Listeners, found...)
		}
	}
	return nil
}

func parseListener(protocol string, body []byte) (state.Listener, bool) {
	if len(body) < sizeofDiagAnswer {
		return state.Listener{}, false
	}
	size := 4
	if body[0] == unix.AF_INET6 {
		size = 16
	}
	l := state.Listener{Proto: protocol, Port: binary.BigEndian.Uint16(body[4:])}
	l.Addr, _ = netip.AddrFromSlice(body[8 : 8+size])
	attributes(body[sizeofDiagAnswer:], func(kind uint16, data []byte) {
		if kind == diagV6Only {
			l.V6Only = l.Addr.IsUnspecified() && number(data) == 1
		}
	})
	return l, l.Port != 0
}
