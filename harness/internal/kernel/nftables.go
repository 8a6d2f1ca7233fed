package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// nft adds a table and, unless nil, a chain with a rule to a fresh namespace, in one batch as `nft` sends it.
func nft(family byte, c *nfChain) func(*scratch) error {
	return func(s *scratch) error {
		h, err := s.namespace()
		if err != nil {
			return err
		}
		return s.world.DoIn(h, func() error {
			fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
			if err != nil {
				return fmt.Errorf("open a netfilter socket: %w", err)
			}
			defer unix.Close(fd)
			if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}); err != nil {
				return fmt.Errorf("limit the wait: %w", err)
			}
			if err := unix.Sendto(fd, nfBatch(family, c), 0,
				&unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
				return fmt.Errorf("send an nftables batch: %w", err)
			}
			return nfAnswer(fd)
		})
	}
}

// nfChain is a chain at a hook with one rule, made of expressions.
type nfChain struct {
	kind  string
	hook  uint32
	exprs []*nl.RtAttr
}

// The messages of a batch, by their sequence numbers.
const (
	nfBeginStep = iota
	nfTableStep
	nfChainStep
	nfRuleStep
	nfEndStep
)

// nfSteps describe the messages.
var nfSteps = []string{
	nfBeginStep: "begin", nfTableStep: "add an nftables table", nfChainStep: "add an nftables chain",
	nfRuleStep: "add an nftables rule", nfEndStep: "end",
}

// nfBatch requests an acknowledgement of the last message before the end only: an earlier answer is a refusal.
func nfBatch(family byte, c *nfChain) []byte {
	const subsystem = unix.NFNL_SUBSYS_NFTABLES
	name := nl.ZeroTerminated("trial")
	last := nfTableStep
	if c != nil {
		last = nfRuleStep
	}
	var batch []byte
	put := func(seq, kind int, attrs ...*nl.RtAttr) {
		flags := unix.NLM_F_CREATE
		if seq == last {
			flags |= unix.NLM_F_ACK
		}
		batch = append(batch, nfMessage(subsystem<<8|kind, flags, family, 0, uint32(seq), attrs...)...)
	}
	batch = append(batch, nfMessage(unix.NFNL_MSG_BATCH_BEGIN, 0, unix.AF_UNSPEC, subsystem, nfBeginStep)...)
	put(nfTableStep, unix.NFT_MSG_NEWTABLE, nl.NewRtAttr(unix.NFTA_TABLE_NAME, name))
	if c != nil {
		put(nfChainStep, unix.NFT_MSG_NEWCHAIN, nl.NewRtAttr(unix.NFTA_CHAIN_TABLE, name),
			nl.NewRtAttr(unix.NFTA_CHAIN_NAME, name),
			nl.NewRtAttr(unix.NFTA_CHAIN_TYPE, nl.ZeroTerminated(c.kind)),
			nest(unix.NFTA_CHAIN_HOOK, number(unix.NFTA_HOOK_HOOKNUM, c.hook), number(unix.NFTA_HOOK_PRIORITY, 0)))
		put(nfRuleStep, unix.NFT_MSG_NEWRULE, nl.NewRtAttr(unix.NFTA_RULE_TABLE, name),
			nl.NewRtAttr(unix.NFTA_RULE_CHAIN, name),
			nest(unix.NFTA_RULE_EXPRESSIONS, c.exprs...))
	}
	return append(batch, nfMessage(unix.NFNL_MSG_BATCH_END, 0, unix.AF_UNSPEC, subsystem, nfEndStep)...)
}

// nfMessage is a netlink message of netfilter: struct nfgenmsg, with the resource id in network order, precedes the
// attributes.
func nfMessage(kind, flags int, family byte, resource uint16, seq uint32, attrs ...*nl.RtAttr) []byte {
	request := nl.NewNetlinkRequest(kind, flags)
	request.Seq = seq
	body := []byte{family, unix.NFNETLINK_V0, 0, 0}
	binary.BigEndian.PutUint16(body[2:], resource)
	for _, a := range attrs {
		body = append(body, a.Serialize()...)
	}
	request.AddRawData(body)
	return request.Serialize()
}

// expression is one of a rule's expressions.
func expression(name string, data ...*nl.RtAttr) *nl.RtAttr {
	return nest(unix.NFTA_LIST_ELEM, nl.NewRtAttr(unix.NFTA_EXPR_NAME, nl.ZeroTerminated(name)),
		nest(unix.NFTA_EXPR_DATA, data...))
}

func nest(kind int, attrs ...*nl.RtAttr) *nl.RtAttr {
	a := nl.NewRtAttr(kind|unix.NLA_F_NESTED, nil)
	for _, child := range attrs {
		a.AddChild(child)
	}
	return a
}

// number is an attribute of 32 bits, in network order as everywhere in netfilter.
func number(kind int, value uint32) *nl.RtAttr {
	return nl.NewRtAttr(kind, binary.BigEndian.AppendUint32(nil, value))
}

// nfAnswer reads the first answer: the acknowledgement, or the first refusal. A kernel without nftables may answer the
// table with EINVAL, because it does not know the subsystem.
func nfAnswer(fd int) error {
	buffer := make([]byte, 8192)
	n, from, err := unix.Recvfrom(fd, buffer, 0)
	if err != nil {
		return fmt.Errorf("receive the answer to an nftables batch: %w", err)
	}
	if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
		return errors.New("receive the answer to an nftables batch: it is not from the kernel")
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(buffer[4:]) != unix.NLMSG_ERROR {
		return errors.New("receive the answer to an nftables batch: it is not an acknowledgement")
	}
	step := int(binary.NativeEndian.Uint32(buffer[8:]))
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(buffer[unix.SizeofNlMsghdr:])))
	switch {
	case errno == 0:
		return nil
	case step >= len(nfSteps):
		return errors.New("receive the answer to an nftables batch: it has an unknown sequence number")
	case errno == unix.EINVAL && step <= nfTableStep:
		return findingError(absent("the kernel lacks nftables (%s)", describe(errno)))
	}
	return fmt.Errorf("%s: %w", nfSteps[step], errno)
}

// The rules of the trials: connection state, reject, masquerade and destination NAT.
var (
	nfCt = &nfChain{"filter", unix.NF_INET_LOCAL_IN, []*nl.RtAttr{
		expression("ct", number(unix.NFTA_CT_KEY, unix.NFT_CT_STATE), number(unix.NFTA_CT_DREG, unix.NFT_REG_1)),
	}}
	nfReject = &nfChain{"filter", unix.NF_INET_LOCAL_IN, []*nl.RtAttr{
		expression("reject", number(unix.NFTA_REJECT_TYPE, unix.NFT_REJECT_ICMP_UNREACH),
			nl.NewRtAttr(unix.NFTA_REJECT_ICMP_CODE, []byte{3})),
	}}
	nfMasquerade = &nfChain{"nat", unix.NF_INET_POST_ROUTING, []*nl.RtAttr{expression("masq")}}
	nfDNAT       = &nfChain{"nat", unix.NF_INET_PRE_ROUTING, []*nl.RtAttr{
		expression("immediate", number(unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_1),
			nest(unix.NFTA_IMMEDIATE_DATA, nl.NewRtAttr(unix.NFTA_DATA_VALUE, near.To4()))),
		expression("nat", number(unix.NFTA_NAT_TYPE, unix.NFT_NAT_DNAT),
			number(unix.NFTA_NAT_FAMILY, unix.NFPROTO_IPV4),
			number(unix.NFTA_NAT_REG_ADDR_MIN, unix.NFT_REG_1)),
	}}
)
