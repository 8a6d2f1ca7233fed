package state

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// commonWords are the words in names, comments and log prefixes of packet filters that reveal nothing about their
// owner: those of nftables and iptables, of services, and of programs that generate filters.
var commonWords = wordSet(`
	ip ip4 ip6 ipv4 ipv6 inet arp bridge netdev filter nat mangle raw security route broute input output forward fwd
	prerouting postrouting ingress egress pre post in out to from local for of on and or not no the a any all accept
	accepted drop dropped reject rejected deny denied allow allowed block blocked log logged logging return jump
	goto continue queue masq masquerade snat dnat redirect hairpin loopback mark unmark conntrack ct state new
	established related invalid tcp udp icmp icmpv6 sctp syn ack fin rst limit rate policy rule rules chain chains
	table set map sets maps base default main global custom user users before after begin end first last top source
	src destination dst addr address addresses port ports iif oif iifname oifname interface interfaces link host
	hosts network networks net nets subnet traffic packet packets connection connections via only other own dns dhcp
	dhcpv6 ntp ssh http https smtp mdns ping nd lan wan dmz vpn wg guest public private internal external trusted
	work home zone zones server servers client clients service services node nodes nodeports pod pods cluster
	container containers gateway router lo docker isolation stage stage1 stage2 kube kubernetes proxy svc sep fw
	firewall ext mark canary kubelet flannel flanneld cali calico cni podman netavark portmap hostport libvirt inp
	inf input fwi fwo fwx prt ufw ufw6 track skip f2b fail2ban firewalld spoof antispoof banned blacklist whitelist
	blocklist allowlist seen pairs nh th ll
`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

var wordPattern = regexp.MustCompile(`[\pL\pN\pM]+`)

// name is the replacement of the name of a table, a chain or a set, and of free text in a rule: uncommon words are
// numbered, so that different ones remain different.
func (r *Redaction) name(s string) string {
	return r.spelled(s, func(between string) string {
		return wordPattern.ReplaceAllStringFunc(between, func(word string) string {
			if _, err := strconv.ParseUint(word, 10, 8); err == nil || commonWords[strings.ToLower(word)] {
				return word
			}
			by, ok := r.words[word]
			if !ok {
				by = fmt.Sprint("word", len(r.words)+1)
				r.words[word] = by
			}
			return by
		})
	})
}

// remarks are the parts of a rule that hold names and free text.
var remarks = regexp.MustCompile(`((?:comment|prefix|counter name) )("(?:[^"\\]|\\.)*")|(@|jump |goto )([^\s"]+)`)

// rule is the replacement of the text of a rule.
func (r *Redaction) rule(s string) string {
	done := 0
	var b strings.Builder
	for _, at := range remarks.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(r.Text(s[done:at[0]]))
		done = at[1]
		if at[2] < 0 {
			b.WriteString(s[at[6]:at[7]] + r.name(s[at[8]:at[9]]))
			continue
		}
		said, err := strconv.Unquote(s[at[4]:at[5]])
		if err != nil {
			said = s[at[4]+1 : at[5]-1]
		}
		b.WriteString(s[at[2]:at[3]] + strconv.Quote(r.name(said)))
	}
	return b.String() + r.Text(s[done:])
}
