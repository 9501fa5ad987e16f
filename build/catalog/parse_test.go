package catalog

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/blob"
)

// fillAll sets every field of a struct to a value that is not zero, apart from statistics, which
// are not in lines. Lists have two elements.
func fillAll(v reflect.Value) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	switch x := v.Addr().Interface().(type) {
	case **Statistics:
		return
	case *time.Time:
		*x = when
		return
	case *blob.Ref:
		*x = blob.Sum([]byte("content"))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("text of ü and <&>")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(4711)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillAll(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillAll(v.Index(0))
		fillAll(v.Index(1))
	case reflect.Struct:
		for i := range v.NumField() {
			fillAll(v.Field(i))
		}
	default:
		panic(v.Kind())
	}
}

// fullExtension returns an extension without a zero value.
func fullExtension() *Extension {
	e := new(Extension)
	fillAll(reflect.ValueOf(e).Elem())
	return e
}

// lineOf returns the line of an extension.
func lineOf(t testing.TB, e *Extension) []byte {
	t.Helper()
	var line bytes.Buffer
	if err := (Chunk{Extensions: []Extension{*e}}).WriteLines(&line); err != nil {
		t.Fatal(err)
	}
	return line.Bytes()
}

// parses reports whether a parser decodes a line. If it does, the result must be that of json2.
func parses(t *testing.T, line []byte) bool {
	t.Helper()
	got, ok := newParser().parse(line)
	if !ok {
		return false
	}
	want := new(Extension)
	if err := json2.Unmarshal(line, want); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%s is parsed as\n%+v, want\n%+v, %v", line, got, want, err)
	}
	return true
}

// TestParse parses the line of an extension without a zero value, and of those in which
// one field has another value.
func TestParse(t *testing.T) {
	if line := lineOf(t, fullExtension()); !parses(t, line) {
		t.Fatalf("not parsed: %s", line)
	}
	other := map[string]bool{"Assets": true} // fields whose zero values are left to json2
	for _, of := range []func(*Extension) reflect.Value{
		func(e *Extension) reflect.Value { return reflect.ValueOf(&e.Publisher).Elem() },
		func(e *Extension) reflect.Value { return reflect.ValueOf(&e.Versions[1]).Elem() },
		func(e *Extension) reflect.Value { return reflect.ValueOf(&e.Versions[1].Files[1]).Elem() },
		func(e *Extension) reflect.Value { return reflect.ValueOf(e.Versions[1].Sidecar).Elem() },
		func(e *Extension) reflect.Value { return reflect.ValueOf(e.Versions[1].Sidecar.Publisher).Elem() },
	} {
		for i := range of(fullExtension()).NumField() {
			e := fullExtension()
			field, name := of(e).Field(i), of(e).Type().Field(i).Name
			field.SetZero()
			if line := lineOf(t, e); parses(t, line) == other[name] {
				t.Errorf("without %s: parsed: %t: %s", name, !other[name], line)
			}
		}
	}
	for name, change := range map[string]func(*Extension){
		"other tags":       func(e *Extension) { e.Versions[1].Tags = []string{"other"} },
		"more tags":        func(e *Extension) { e.Versions[1].Tags = append(e.Versions[1].Tags, "other") },
		"other properties": func(e *Extension) { e.Versions[1].Properties = []Property{{"key", strings.Repeat("long", 9)}} },
		"empty sidecar":    func(e *Extension) { e.Versions[0].Sidecar = &Sidecar{} },
		"another size":     func(e *Extension) { e.Versions[0].Package.Size = 0 },
	} {
		e := fullExtension()
		change(e)
		if line := lineOf(t, e); !parses(t, line) {
			t.Errorf("%s: not parsed: %s", name, line)
		}
	}
}

// TestParseOther leaves lines of another form to json2.
func TestParseOther(t *testing.T) {
	line := string(lineOf(t, fullExtension()))
	for name, text := range map[string]string{
		"space":            strings.Replace(line, `:{"id"`, `: {"id"`, 1),
		"space at the end": strings.Replace(line, "\n", " \n", 1),
		"escape":           strings.Replace(line, `<&>`, `\u003c`, 1),
		"control":          strings.Replace(line, `<&>`, "\x01", 1),
		"invalid UTF-8":    strings.Replace(line, `<&>`, "\xff", 1),
		"unknown key":      strings.Replace(line, `"size":4711`, `"size":4711,"more":1`, 1),
		"duplicate key":    strings.Replace(line, `"size":4711`, `"size":4711,"size":4711`, 1),
		"missing key":      strings.Replace(line, `,"size":4711`, "", 1),
		"other case":       strings.Replace(line, `"size"`, `"Size"`, 1),
		"false":            strings.Replace(line, `"preview":true`, `"preview":false`, 1),
		"null":             strings.Replace(line, `"licence":"`, `"licence":null,"x":"`, 1),
		"leading zero":     strings.Replace(line, `4711`, `04711`, 1),
		"negative":         strings.Replace(line, `4711`, `-4711`, 1),
		"fraction":         strings.Replace(line, `4711`, `4711.5`, 1),
		"large number":     strings.Replace(line, `4711`, `99999999999999999999`, 1),
		"upper case":       strings.Replace(line, `"sha256":"`+blob.Sum([]byte("content")).String(), `"sha256":"`+strings.ToUpper(blob.Sum([]byte("content")).String()), 1),
		"short hash":       strings.Replace(line, `"sha256":"`+blob.Sum([]byte("content")).String(), `"sha256":"`+blob.Sum([]byte("content")).String()[:62], 1),
		"zone":             strings.Replace(line, `03:04:05Z`, `03:04:05+01:00`, 1),
		"no such day":      strings.Replace(line, `2026-01-02`, `2026-02-30`, 1),
		"empty list":       strings.Replace(line, `"tags":["text of ü and <&>","text of ü and <&>"]`, `"tags":[]`, 1),
		"comma in a list":  strings.Replace(line, `"],"contributed"`, `",],"contributed"`, 1),
		"cut":              line[:len(line)-3],
		"two":              strings.TrimSpace(line) + line,
		"empty":            "",
	} {
		if text == line || parses(t, []byte(text)) {
			t.Errorf("%s: parsed", name)
		}
	}
}

// FuzzParse looks for a line that a parser decodes in another way than json2.
func FuzzParse(f *testing.F) {
	full := lineOf(f, fullExtension())
	f.Add(full)
	f.Add(bytes.ReplaceAll(full, []byte(`,"preview":true`), nil))
	e := fullExtension()
	e.Versions = []Version{{Version: "1.0.0", Assets: e.Versions[0].Assets[:1], Sidecar: &Sidecar{ExtensionID: "id"}}}
	f.Add(lineOf(f, e))
	f.Fuzz(func(t *testing.T, line []byte) { parses(t, line) })
}

// TestParseAgain parses two lines that follow each other in the same memory.
func TestParseAgain(t *testing.T) {
	p := newParser()
	first := lineOf(t, fullExtension())
	second := bytes.ReplaceAll(first, []byte("text of"), []byte("TEXT OF"))
	buffer := bytes.Clone(first)
	for _, line := range [][]byte{first, second} {
		copy(buffer, line)
		want := new(Extension)
		if err := json2.Unmarshal(line, want); err != nil {
			t.Fatal(err)
		}
		if got, ok := p.parse(buffer); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is parsed as\n%+v, want\n%+v", line, got, want)
		}
	}
}
