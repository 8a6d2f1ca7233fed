package scenario

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"netnscheck/harness/claim"
	"netnscheck/harness/nearest"
	"netnscheck/harness/scenario/operation"
)

var (
	kebabCase    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	requirement  = regexp.MustCompile(`^([a-z0-9]+([-_][a-z0-9]+)*|program:[A-Za-z0-9._+-]+)$`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// frontMatter reads the YAML block at the top of a file into a Scenario.
type frontMatter struct {
	*findings
	sc *Scenario
	// offset is the number of lines in the file above the YAML text.
	offset int
}

// read reads the top level.
func (m *frontMatter) read(text string) {
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		m.syntaxError(text, err)
		return
	}
	for i, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType {
			continue
		}
		if i > 0 {
			m.add(m.line(doc.Body), "the front matter is more than one YAML document")
			return
		}
		m.mapping(doc.Body, "", map[string]func(string, ast.Node){
			"id":       m.id,
			"kind":     m.kind,
			"level":    m.level,
			"requires": m.requires,
			"host":     m.host,
			"vars":     m.vars,
			"points":   m.points,
		})
	}
}

// tabbed is a line that is indented with a tab.
var tabbed = regexp.MustCompile(`^ *\t`)

func (m *frontMatter) syntaxError(text string, err error) {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil {
		message, line := syntax.Message, syntax.Token.Position.Line
		if lines := strings.Split(text, "\n"); line <= len(lines) && tabbed.MatchString(lines[line-1]) {
			message = "the line begins with a tab: YAML is indented with blanks"
		}
		m.add(m.offset+line, "read the front matter: %s", message)
		return
	}
	m.add(m.offset, "read the front matter: %v", err)
}

// mapping reads a mapping with a fixed set of keys.
func (m *frontMatter) mapping(n ast.Node, path string, known map[string]func(key string, value ast.Node)) {
	names := slices.Sorted(maps.Keys(known))
	m.entries(n, path, func(key string, keyNode, value ast.Node) {
		read, ok := known[key]
		if !ok {
			m.add(m.line(keyNode), "unknown key %s%s (known: %s)", path+key, nearest.DidYouMean(key, names),
				strings.Join(names, ", "))
			return
		}
		if value.Type() != ast.NullType { // a key without a value has its default
			read(path+key, value)
		}
	})
}

// entries calls f for each entry of a mapping in the order of the file, without duplicates.
func (m *frontMatter) entries(n ast.Node, path string, f func(key string, keyNode, value ast.Node)) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		m.add(m.line(n), "bad value of %s: expected keys and values, found %s", orFrontMatter(path), describe(n))
		return
	}
	lines := map[string]int{}
	for _, v := range values {
		key, ok := scalar(v.Key)
		if !ok {
			m.add(m.line(v.Key), "bad key in %s: expected a word, found %s", orFrontMatter(path), describe(v.Key))
			continue
		}
		if first, twice := lines[key]; twice {
			m.add(m.line(v.Key), "duplicate key %s%s: it is in line %d already", path, key, first)
			continue
		}
		lines[key] = m.line(v.Key)
		f(key, v.Key, v.Value)
	}
}

func orFrontMatter(path string) string {
	if path == "" {
		return "the front matter"
	}
	return strings.TrimSuffix(path, ".")
}

// maxID is the most letters of an id: it is a part of names of cases, labels and files.
const maxID = 100

func (m *frontMatter) id(key string, n ast.Node) {
	id, ok := scalar(n)
	switch {
	case !ok || !kebabCase.MatchString(id):
		m.bad(key, n, idForm)
	case len(id) > maxID:
		m.bad(key, n, fmt.Sprintf("at most %d letters, found %d", maxID, len(id)))
	default:
		m.sc.ID, m.sc.IDLine = id, m.line(n)
	}
}

const idForm = "lower-case words joined by -, such as veth-pair"

// CheckID refuses what cannot be the id of a scenario.
func CheckID(id string) error {
	switch {
	case !kebabCase.MatchString(id):
		return errors.New("expected " + idForm)
	case len(id) > maxID:
		return fmt.Errorf("expected at most %d letters, found %d", maxID, len(id))
	}
	return nil
}

func (m *frontMatter) kind(key string, n ast.Node) {
	kinds := []string{string(Lesson), string(Challenge), string(Conformance)}
	kind, ok := scalar(n)
	if !ok || !slices.Contains(kinds, kind) {
		m.bad(key, n, strings.Join(kinds, ", ")+nearest.DidYouMean(kind, kinds))
		return
	}
	m.sc.Kind = Kind(kind)
}

func (m *frontMatter) level(key string, n ast.Node) {
	text, ok := scalar(n)
	level, err := strconv.Atoi(text)
	if !ok || err != nil || level < 0 || level > 99 {
		m.bad(key, n, "a number from 0 to 99")
		return
	}
	m.sc.Level = level
}

func (m *frontMatter) points(key string, n ast.Node) {
	text, ok := scalar(n)
	points, err := parsePoints(text)
	if !ok || err != nil {
		m.bad(key, n, fmt.Sprintf("a whole number from 0 to %d", maxPoints))
		return
	}
	m.sc.Points, m.sc.PointsLine = points, m.line(n)
}

func (m *frontMatter) requires(key string, n ast.Node) {
	m.list(key, n, "a list of features, such as [veth, program:tcpdump]", func(item ast.Node) {
		name, ok := scalar(item)
		if !ok || !requirement.MatchString(name) {
			m.bad(key, item, "a feature such as bridge-vlan-filtering, or program:NAME")
			return
		}
		m.sc.Requires = append(m.sc.Requires, name)
		m.sc.RequiresLines = append(m.sc.RequiresLines, m.line(item))
	})
}

func (m *frontMatter) host(key string, n ast.Node) {
	m.mapping(n, key+".", map[string]func(string, ast.Node){"interfaces": m.interfaces, "routes": m.routes})
}

func (m *frontMatter) interfaces(key string, n ast.Node) {
	m.entries(n, key+".", func(name string, keyNode, value ast.Node) {
		if err := checkDevice(name); err != nil {
			m.add(m.line(keyNode), "bad key in %s: %v", key, err)
			return
		}
		iface := HostInterface{Name: name, Line: m.line(keyNode)}
		address := func(item ast.Node) {
			text, _ := scalar(item)
			prefix, err := netip.ParsePrefix(text)
			if err != nil {
				m.bad(key+"."+name, item, "an address with its prefix length, such as 192.168.2.252/24")
				return
			}
			iface.Addresses = append(iface.Addresses, prefix)
		}
		switch value.Type() {
		case ast.NullType: // an interface without an address
		case ast.SequenceType:
			m.list(key+"."+name, value, "", address)
		default:
			address(value)
		}
		m.sc.Host.Interfaces = append(m.sc.Host.Interfaces, iface)
	})
}

// checkDevice refuses the names that the kernel refuses for a new device (dev_valid_name in net/core/dev.c), and lo,
// which every namespace has.
func checkDevice(name string) error {
	switch {
	case name == "lo":
		return errors.New("lo exists already, and is up")
	case len(name) > 15:
		return fmt.Errorf("%q is longer than the 15 bytes of an interface name", name)
	}
	return claim.CheckIfaceName(name)
}

func (m *frontMatter) routes(key string, n ast.Node) {
	m.list(key, n, "a list of routes, such as [default via 192.168.2.1 dev ens224]", func(item ast.Node) {
		text, ok := scalar(item)
		if !ok {
			m.bad(key, item, "a route as `ip route add` takes it")
			return
		}
		if _, err := operation.ParseRoute(strings.Fields(text)); err != nil {
			m.add(m.line(item), "bad value of %s: %v", key, operation.NotA("route", text, err))
			return
		}
		m.sc.Host.Routes = append(m.sc.Host.Routes, HostRoute{Text: text, Line: m.line(item)})
	})
}

func (m *frontMatter) vars(key string, n ast.Node) {
	m.entries(n, key+".", func(name string, keyNode, value ast.Node) {
		if !variableName.MatchString(name) {
			m.add(m.line(keyNode), "bad key in %s: %q is no name (letters, digits, _ and -)", key, name)
			return
		}
		v := Var{Name: name, Line: m.line(keyNode)}
		m.variable(&v, key+"."+name, value)
		m.sc.Vars = append(m.sc.Vars, v)
	})
}

// variable reads the value of a variable: a line of text, which may have ranges, or a list of such lines.
func (m *frontMatter) variable(v *Var, key string, n ast.Node) {
	const expected = "one line of text, or a list such as [red, blue]; one that begins with { stands in quotes"
	items := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		items = list.Values
	}
	for i, item := range items {
		text, ok := scalar(item)
		if !ok || !isLine(text) {
			m.bad(key, item, expected)
			continue
		}
		p, err := parsePattern(text)
		if err != nil {
			m.add(m.line(item), "bad value of %s: %v", key, err)
			// so that the lines that use it have no problem, too
			p = pattern{{word: rangeUse.ReplaceAllString(text, "1")}}
		}
		if slices.Contains(v.Choices, text) {
			m.add(m.line(item), "bad value of %s: %q stands in the list twice", key, text)
		}
		if n != item || isPattern(text) {
			v.Choices = append(v.Choices, text)
		}
		if i == 0 {
			v.Default = p.first()
		}
	}
	if len(items) == 0 {
		m.bad(key, n, "a list with at least one value")
	}
	v.Value = v.Default
}

// list calls f for each item of a list.
func (m *frontMatter) list(key string, n ast.Node, expected string, f func(ast.Node)) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		m.bad(key, n, expected)
		return
	}
	for _, item := range seq.Values {
		f(item)
	}
}

func (m *frontMatter) bad(key string, n ast.Node, expected string) {
	m.add(m.line(n), "bad value of %s: expected %s; found %s", key, expected, describe(n))
}

func (m *frontMatter) line(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return m.offset + t.Position.Line
	}
	return m.offset
}

// scalar is the text of a scalar as written: 010 stays 010 and yes stays yes.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return strings.TrimSpace(n.GetToken().Value), true
	case *ast.MappingNode:
		return cutAtColon(n)
	}
	return "", false
}

// cutAtColon joins a plain scalar again that the library takes for a key and its value: in a list inside braces it cuts
// `fd00::1` at a colon that no blank follows.
func cutAtColon(n *ast.MappingNode) (string, bool) {
	if n.IsFlowStyle || len(n.Values) != 1 {
		return "", false
	}
	k, v := n.Values[0].Key, n.Values[0].Value
	key, isKey := scalar(k)
	value, isValue := scalar(v)
	if !isKey || !isValue || k.GetToken().Indicator == token.QuotedScalarIndicator ||
		strings.TrimLeft(v.GetToken().Origin, " \t\n") != v.GetToken().Origin {
		return "", false
	}
	return key + ":" + value, true
}

// quoted is a text in quotes, cut if it is long.
func quoted(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strconv.Quote(text)
}

func describe(n ast.Node) string {
	if text, ok := scalar(n); ok {
		return quoted(text)
	}
	switch n.Type() {
	case ast.NullType:
		return "nothing"
	case ast.SequenceType:
		return "a list"
	case ast.MappingType, ast.MappingValueType:
		return "keys and values"
	}
	return "YAML's " + strings.ToLower(n.Type().String())
}
