package capture

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/pcapgo"
)

// room is how much of the file a packet takes, without its comment.
func (p *packet) room() int { return len(p.data) + 48 }

// write makes a file of packets, with a comment on each that says what happened then.
func write(links []link, packets []packet, during func(time.Time) string, remarks []string) ([]byte, error) {
	slices.SortFunc(links, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.form, b.form))
	})
	links = slices.Compact(links)
	if len(links) == 0 {
		return nil, nil
	}
	var file bytes.Buffer
	info := pcapgo.NgSectionInfo{Application: "netnscheck", OS: "Linux", Comment: strings.Join(remarks, "\n")}
	w, err := pcapgo.NewNgWriterInterface(&file, links[0].asInterface(), pcapgo.NgWriterOptions{SectionInfo: info})
	ids := map[link]int{links[0]: 0}
	for _, l := range links[1:] {
		if err == nil {
			ids[l], err = w.AddInterface(l.asInterface())
		}
	}
	for _, p := range packets {
		if err == nil {
			err = w.WritePacketWithOptions(gopacket.CaptureInfo{Timestamp: p.at, CaptureLength: len(p.data),
				Length: p.length, InterfaceIndex: ids[p.link]}, p.data, p.options(during(p.at)))
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("write a file of %d packets: %w", len(packets), err)
	}
	return file.Bytes(), nil
}

func (l link) asInterface() pcapgo.NgInterface {
	return pcapgo.NgInterface{Name: l.name, LinkType: l.form}
}

func (p *packet) options(what string) pcapgo.NgPacketOptions {
	direction := pcapgo.NgEpbFlagDirectionInbound
	if p.out {
		direction = pcapgo.NgEpbFlagDirectionOutbound
	}
	return pcapgo.NgPacketOptions{Comments: []string{what}, Flags: &pcapgo.NgEpbFlags{Direction: direction}}
}
