package bot

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The root package of silenceper turns on debug logging for the whole process, its server drags that in; cache.NewMemory ends the
// process by a concurrent map write; DefaultHTTPClient and SetURIModifier belong to the whole process.
func TestSilenceperIsUsedWithCare(t *testing.T) {
	const root = "github.com/silenceper/wechat/v2"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, bad := range []string{root, root + "/officialaccount", root + "/officialaccount/server"} {
		if slices.Contains(deps, bad) {
			t.Errorf("%s is linked in", bad)
		}
	}
	if !slices.Contains(deps, root+"/util") {
		t.Error("go list shows nothing of silenceper: this test looks at the wrong place")
	}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	forbidden := []string{"NewMemory", "DefaultHTTPClient", "SetURIModifier", "Preview"}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if path == root+"/cache" || strings.HasPrefix(path, "github.com/nongxun/nongxun") {
				t.Errorf("%s imports %s", name, path)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(forbidden, sel.Sel.Name) {
				t.Errorf("%s uses %s", name, sel.Sel.Name)
			}
			return true
		})
	}
}
