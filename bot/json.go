package bot

import (
	"bytes"
	"encoding/json"
)

// isJSON reports whether a body is meant as a JSON object: the console's 数据格式 is set to JSON.
func isJSON(body []byte) bool {
	b := bytes.TrimLeft(body, " \t\r\n\ufeff")
	return len(b) > 0 && b[0] == '{'
}

// jsonLeaves returns the leaves of a JSON object under the paths that XML would give them; false where it is no JSON.
func jsonLeaves(body []byte) ([]leaf, bool) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	dec.UseNumber()
	w := jsonWalk{dec: dec}
	ok := w.value("", 0, 0)
	return w.leaves, ok
}

type jsonWalk struct {
	dec    *json.Decoder
	leaves []leaf
	ids    int
}

// value reads one value at path: an object's members, an array's items under the same path, or a leaf.
func (w *jsonWalk) value(path string, parent, depth int) bool {
	tok, err := w.dec.Token()
	if err != nil || depth > maxDepth {
		return false
	}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '{' {
			return w.object(path, depth)
		}
		return w.array(path, parent, depth)
	case string:
		w.leaf(path, tok, parent)
	case json.Number:
		w.leaf(path, tok.String(), parent)
	case bool:
		if tok {
			w.leaf(path, "true", parent)
		} else {
			w.leaf(path, "false", parent)
		}
	case nil:
		w.leaf(path, "", parent)
	}
	return true
}

func (w *jsonWalk) object(path string, depth int) bool {
	w.ids++
	id := w.ids
	for w.dec.More() {
		tok, err := w.dec.Token()
		if err != nil {
			return false
		}
		name, _ := tok.(string)
		name = clean(name[:min(len(name), maxName)])
		if path != "" {
			name = path + "/" + name
		}
		if !w.value(name, id, depth+1) {
			return false
		}
	}
	_, err := w.dec.Token()
	return err == nil
}

func (w *jsonWalk) array(path string, parent, depth int) bool {
	for w.dec.More() {
		if !w.value(path, parent, depth+1) {
			return false
		}
	}
	_, err := w.dec.Token()
	return err == nil
}

func (w *jsonWalk) leaf(path, value string, parent int) {
	if len(w.leaves) < maxFields {
		w.leaves = append(w.leaves, leaf{path: path, value: clean(value), parent: parent})
	}
}
