package modules

import (
	"path"
	"slices"
	"strings"
)

// Boot are the modules that a guest loads when it starts, in this order: those that nearly every run needs, and those
// that the kernel never asks for. None is required: a kernel without one lacks a feature, which a run tells.
var Boot = strings.Fields(`
	veth bridge br_netfilter 8021q vxlan dummy macvlan tun sch_tbf
	nfnetlink nf_tables nf_conntrack nf_nat nft_ct nft_chain_nat nft_nat nft_masq nft_redir
	nft_reject nft_reject_inet nft_reject_ipv4 nft_reject_ipv6 nft_counter nft_log nft_limit
	overlay inet_diag tcp_diag udp_diag unix_diag
`)

// Demand are the modules that the kernel may ask for by their aliases while lessons run, as on any machine: when it
// does, it starts /sbin/modprobe. Loaded from the start they would cost a guest more time than most lessons take, and
// some would change it: ipip, ip_gre and sit put devices (tunl0, gre0, sit0) into every new namespace
// (net.core.fb_tunnels_only_for_init_net).
var Demand = strings.Fields(`
	geneve vrf wireguard ifb ipvlan macvtap ipvtap bonding team nlmon netdevsim macsec
	ipip ip_gre sit ip6_tunnel ip6_gre fou
	af_packet af_key xfrm_user esp4 esp6 raw_diag af_packet_diag netlink_diag tls
	sch_netem sch_htb sch_fq sch_fq_codel sch_sfq sch_prio sch_ingress sch_codel sch_cake sch_red sch_hfsc sch_pie
	cls_u32 cls_flower cls_matchall cls_basic cls_fw cls_bpf
	act_mirred act_gact act_police act_pedit act_skbedit act_vlan act_bpf
	nf_conntrack_netlink nfnetlink_log nfnetlink_queue nf_conntrack_bridge nf_log_syslog
	nf_flow_table nf_flow_table_inet nft_flow_offload
	nft_reject_netdev nft_reject_bridge nft_quota nft_hash nft_numgen nft_fib nft_fib_inet nft_fib_ipv4 nft_fib_ipv6
	nft_fib_netdev nft_socket nft_tproxy nft_queue nft_objref nft_connlimit nft_dup_ipv4 nft_dup_ipv6 nft_dup_netdev
	nft_fwd_netdev nft_synproxy nft_meta_bridge nft_tunnel nft_osf nft_xfrm nft_compat
	x_tables ip_tables ip6_tables iptable_filter iptable_nat iptable_mangle iptable_raw
	ip6table_filter ip6table_nat ip6table_mangle ip6table_raw
	xt_addrtype xt_comment xt_connmark xt_conntrack xt_CT xt_DSCP xt_dscp xt_hashlimit xt_LOG xt_limit xt_MASQUERADE
	xt_mac xt_mark xt_multiport xt_nat xt_NFLOG xt_owner xt_physdev xt_pkttype xt_REDIRECT xt_recent xt_set xt_state
	xt_statistic xt_TCPMSS xt_tcpudp xt_TPROXY ipt_REJECT ip6t_REJECT ip_set ip_set_hash_ip ip_set_hash_net
`)

// parts are modules of some kernels that in others belong to another module or to the kernel: nothing is missing
// without them.
var parts = strings.Fields("nfnetlink nft_counter nft_reject nft_objref nft_reject_netdev unix_diag")

// Optional tells whether a kernel without a module of this name may have all that it does.
func Optional(name string) bool { return slices.Contains(parts, name) }

// Parameters are those with which a module makes no device of its own in the first namespace.
func Parameters(name string) string {
	switch name {
	case "bonding":
		return "max_bonds=0"
	case "ifb":
		return "numifbs=0"
	}
	return ""
}

// Answer is what is loaded when the kernel asks for an alias.
type Answer struct {
	Alias string
	Load  []Module // in this order
}

// Answers returns what is loaded for each of the names, and for each alias of such a module, in the order of aliases.
// Names that the tree has no module of have no answer.
func (t *Tree) Answers(release string, names ...string) (answers []Answer, err error) {
	done := map[string]bool{}
	for _, name := range names {
		file := t.files[normal(name)]
		if file == "" {
			continue
		}
		load, _, err := t.Load(release, name)
		if err != nil {
			return nil, err
		}
		info, err := t.Info(file)
		if err != nil {
			return nil, err
		}
		for _, alias := range append([]string{name}, info.Aliases...) {
			// An alias with a wildcard is that of a device on a bus, which no guest has.
			alias = normal(alias)
			if !done[alias] && !strings.ContainsAny(alias, "*?[ \n") && path.Base(alias) == alias {
				done[alias] = true
				answers = append(answers, Answer{alias, load})
			}
		}
	}
	slices.SortFunc(answers, func(a, b Answer) int { return strings.Compare(a.Alias, b.Alias) })
	return answers, nil
}
