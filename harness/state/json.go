package state

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"
)

// The kernel allows any byte but slash, colon and white space in an interface name (dev_valid_name in net/core/dev.c),
// and a file name may hold any byte but a slash; JSON strings are Unicode. A byte that is not UTF-8 is written as the
// character escapeBase plus the byte, at the end of the last private-use plane; so are the bytes of such a character if
// a name contains one. All other text stays as it is.
const escapeBase = 0x10FF00

// escapeMark is the beginning of every such character in UTF-8.
const escapeMark = "\xf4\x8f"

// MarshalJSON writes the state such that UnmarshalJSON restores it byte for byte.
func (s *State) MarshalJSON() ([]byte, error) {
	escaped := mapStrings(reflect.ValueOf(*s), escape).Interface().(State)
	return json.Marshal(plain(escaped))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *State) UnmarshalJSON(data []byte) error {
	var escaped plain
	if err := json.Unmarshal(data, &escaped); err != nil {
		return err
	}
	*s = mapStrings(reflect.ValueOf(State(escaped)), unescape).Interface().(State)
	return nil
}

func escape(s string) string {
	if !strings.Contains(s, escapeMark) && utf8.ValidString(s) {
		return s
	}
	var out strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 || r >= escapeBase {
			for _, b := range []byte(s[:size]) {
				out.WriteRune(escapeBase + rune(b))
			}
		} else {
			out.WriteString(s[:size])
		}
		s = s[size:]
	}
	return out.String()
}

func unescape(s string) string {
	if !strings.Contains(s, escapeMark) {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		if r >= escapeBase {
			out.WriteByte(byte(r - escapeBase))
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// mapStrings copies a value with f applied to every string in it. Unexported fields (of addresses) hold no names and
// stay as they are.
func mapStrings(v reflect.Value, f func(string) string) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		return reflect.ValueOf(f(v.String())).Convert(v.Type())
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(mapStrings(v.Elem(), f))
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(mapStrings(v.Index(i), f))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for _, key := range v.MapKeys() {
			out.SetMapIndex(mapStrings(key, f), mapStrings(v.MapIndex(key), f))
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(mapStrings(v.Field(i), f))
			}
		}
		return out
	}
	return v
}
