package state

import (
	"fmt"
	"net/netip"
	"strings"
)

// Connection is an entry of connection tracking: the packets of a flow, which all meet the decision about the first.
type Connection struct {
	Family   int    `json:"family"`   // 4 or 6
	Protocol string `json:"protocol"` // tcp, udp, icmp, … or a number
	// Original is what the first packet had, and Reply is what the answers are expected to have. If a translation is in
	// force, they are not each other's reverse.
	Original Tuple `json:"original"`
	Reply    Tuple `json:"reply"`
	// Status are the words of nft(8) for what is known of it: expected, seen-reply, assured, confirmed, snat, dnat,
	// dying, in this order.
	Status []string `json:"status,omitempty"`
	Mark   uint32   `json:"mark,omitempty"`
	Zone   uint16   `json:"zone,omitempty"`
}

// Tuple are the fields by which the packets of one direction of a connection are known.
type Tuple struct {
	Src     netip.Addr `json:"src"`
	Dst     netip.Addr `json:"dst"`
	SrcPort uint16     `json:"sport,omitempty"`
	DstPort uint16     `json:"dport,omitempty"`
	// ID, Type and Code are those of ICMP.
	ID   uint16 `json:"id,omitempty"`
	Type uint8  `json:"type,omitempty"`
	Code uint8  `json:"code,omitempty"`
	// Zone is set if the zone is that of this direction alone.
	Zone uint16 `json:"zone,omitempty"`
}

// ConnectionText is a connection in one line, much as conntrack(8) lists it.
func ConnectionText(c Connection) string {
	return words(c.Protocol, c.Original.text(), c.Reply.text(), strings.Join(c.Status, ","),
		when(c.Mark != 0, fmt.Sprintf("mark 0x%x", c.Mark)), option("zone", c.Zone))
}

func (t Tuple) text() string {
	return words("src "+t.Src.String(), "dst "+t.Dst.String(), option("sport", t.SrcPort), option("dport", t.DstPort),
		option("type", t.Type), option("code", t.Code), option("id", t.ID), option("zone", t.Zone))
}
