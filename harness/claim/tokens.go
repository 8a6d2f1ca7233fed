package claim

import "strings"

// token is a word of a sentence, or the text of a code span.
type token struct {
	word string
	span bool
}

// tokenize splits a sentence into words and code spans. Commas and parentheses are separate words; a full stop at the
// end is dropped. A code span begins and ends with the same number of backquotes, as in Markdown; an unclosed one is
// plain text.
func tokenize(text string) []token {
	var tokens []token
	for text != "" {
		start := strings.IndexByte(text, '`')
		if start < 0 {
			break
		}
		length, content, ok := codeSpan(text[start:])
		if !ok {
			break
		}
		tokens = append(tokens, plainWords(text[:start])...)
		tokens = append(tokens, token{word: content, span: true})
		text = text[start+length:]
	}
	tokens = append(tokens, plainWords(text)...)
	if n := len(tokens) - 1; n >= 0 && !tokens[n].span {
		tokens[n].word = strings.TrimSuffix(tokens[n].word, ".")
		if tokens[n].word == "" {
			tokens = tokens[:n]
		}
	}
	return tokens
}

// codeSpan reads the code span at the start of the text: its total length and its content.
func codeSpan(text string) (length int, content string, ok bool) {
	ticks := len(text) - len(strings.TrimLeft(text, "`"))
	for i := ticks; i < len(text); {
		if text[i] != '`' {
			i++
			continue
		}
		end := i
		for i < len(text) && text[i] == '`' {
			i++
		}
		if i-end == ticks {
			return i, trimSpan(text[ticks:end]), true
		}
	}
	return 0, "", false
}

// trimSpan removes the blank on either side that Markdown allows next to backquotes.
func trimSpan(content string) string {
	if len(content) > 1 && content[0] == ' ' && content[len(content)-1] == ' ' && strings.Trim(content, " ") != "" {
		return content[1 : len(content)-1]
	}
	return content
}

// Span writes a text as a code span from which codeSpan reads the same text.
func Span(content string) string {
	ticks := "`"
	for strings.Contains(content, ticks) {
		ticks += "`"
	}
	if strings.HasPrefix(content, "`") || strings.HasSuffix(content, "`") || trimSpan(content) != content {
		content = " " + content + " "
	}
	return ticks + content + ticks
}

var loose = strings.NewReplacer(",", " , ", "(", " ( ", ")", " ) ")

func plainWords(text string) []token {
	var tokens []token
	for _, word := range strings.Fields(loose.Replace(text)) {
		tokens = append(tokens, token{word: word})
	}
	return tokens
}

// join writes tokens as one sentence.
func join(tokens []token) string {
	var b strings.Builder
	for i, t := range tokens {
		tight := i == 0 || t == (token{word: ","}) || t == (token{word: ")"}) || tokens[i-1] == (token{word: "("})
		if !tight {
			b.WriteByte(' ')
		}
		if t.span {
			b.WriteString(Span(t.word))
		} else {
			b.WriteString(t.word)
		}
	}
	return b.String()
}
