package modules

import "strings"

// Wanted are the modules that lessons and the harness use, in the order in which they are loaded. None is required: a
// kernel without one lacks a feature, which a run tells. Not among them are ipip, ip_gre and
// sit: loaded, they put devices (tunl0, gre0, sit0) into every new namespace (net.core.fb_tunnels_only_for_init_net).
var Wanted = strings.Fields(`
	veth bridge br_netfilter 8021q vxlan geneve dummy vrf wireguard ifb macvlan ipvlan macvtap bonding team tun nlmon
	unix af_packet inet_diag tcp_diag udp_diag raw_diag unix_diag af_packet_diag netlink_diag
	sch_netem sch_tbf sch_htb sch_fq sch_fq_codel sch_sfq sch_prio sch_ingress sch_codel sch_cake sch_red sch_hfsc
	cls_u32 cls_flower cls_matchall cls_basic cls_fw cls_bpf
	act_mirred act_gact act_police act_pedit act_skbedit act_vlan
	nf_tables nfnetlink nf_conntrack nf_conntrack_netlink nf_nat nfnetlink_log nfnetlink_queue
	nft_ct nft_chain_nat nft_nat nft_masq nft_redir nft_reject nft_reject_inet nft_reject_ipv4 nft_reject_ipv6
	nft_reject_netdev nft_reject_bridge nft_counter nft_log nft_limit nft_quota nft_hash nft_numgen nft_fib nft_fib_inet
	nft_fib_ipv4 nft_fib_ipv6 nft_fib_netdev nft_socket nft_tproxy nft_queue nft_objref nft_connlimit nft_set_pipapo
	nft_dup_ipv4 nft_dup_ipv6 nft_dup_netdev nft_fwd_netdev nft_flow_offload nft_synproxy nft_meta_bridge nft_tunnel
	nft_compat nf_conntrack_bridge nf_log_syslog nf_flow_table nf_flow_table_inet
	x_tables ip_tables ip6_tables iptable_filter iptable_nat iptable_mangle iptable_raw
	ip6table_filter ip6table_nat ip6table_mangle ip6table_raw
	xt_addrtype xt_comment xt_connmark xt_conntrack xt_CT xt_DSCP xt_dscp xt_hashlimit xt_LOG xt_limit xt_MASQUERADE
	xt_mac xt_mark xt_multiport xt_nat xt_NFLOG xt_owner xt_physdev xt_pkttype xt_REDIRECT xt_recent xt_set xt_state
	xt_statistic xt_TCPMSS xt_tcpudp xt_TPROXY ipt_REJECT ip6t_REJECT ip_set ip_set_hash_ip ip_set_hash_net
	overlay virtio_pci virtio_rng virtio_console
`)

// FallbackTunnels are the modules that put a device into every new namespace, for those who ask for them.
var FallbackTunnels = strings.Fields("ipip ip_gre sit ip6_tunnel ip6_gre")

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
