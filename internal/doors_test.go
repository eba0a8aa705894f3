package internal_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nongxun/nongxun/"

// may says what of the project each package may import; content/ stands for all below it. A package that is not here, or an
// import that is not allowed here, fails the test: change docs/design.md with it.
var may = map[string][]string{
	"bot":                 {},
	"sms":                 {},
	"sms/aliyun":          {"sms"},
	"sms/smpp":            {"sms", "sms/internal/line"},
	"sms/internal/line":   {},
	"sms/internal/tshark": {},
	"sms/cmpp":            {"sms", "sms/internal/line"},
	"content/lexicon":     {},
	"content/reading":     {"content/lexicon"},
	"content/writing":     {"content/"},
	"internal/pg":         {},
	"internal/pg/pgtest":  {"internal/pg"},
	"internal/tables":     {"content/reading", "content/lexicon"},
	"internal/evaluation": {"content/reading"},
	"internal/people":     {"internal/pg"},
	"internal/jobs":       {"internal/pg"},
	"internal/glossary":   {"internal/people", "content/"},
	"internal/talk":       {"content/"},
	"internal/outbox":     {"internal/people", "bot", "sms", "content/", "internal/pg"},
	"internal/market":     {"internal/outbox", "internal/people", "content/", "internal/pg"},
	"internal/price":      {"internal/outbox", "internal/people", "content/", "internal/pg"},
	"internal/fair":       {"internal/outbox", "internal/people", "content/", "internal/pg"},
	"internal/calendar":   {"internal/jobs", "internal/pg"},
	"internal/inbox":      {"internal/", "bot", "sms", "content/"},
	"internal/transcript": {},
	"internal/emulator":   {"internal/transcript"},
	"cmd/nongxun":         {"internal/", "bot", "sms", "content/"},
}

// doors are the dependencies that one package alone may import directly.
var doors = map[string][]string{
	"github.com/silenceper/wechat/":       {"bot"},
	"github.com/aliyun/":                  {"sms/aliyun"},
	"github.com/riverqueue/river":         {"internal/jobs", "internal/pg"},
	"github.com/go-co-op/gocron":          {"internal/calendar"},
	"github.com/xuri/excelize":            {"internal/tables"},
	"github.com/pressly/goose":            {"internal/pg"},
	"github.com/6tail/lunar-go":           {"content/reading"},
	"github.com/alecthomas/kong":          {"cmd/nongxun"},
	"github.com/prometheus/client_golang": {"cmd/nongxun"},
}

func TestImportsKeepTheFloorsAndTheDoors(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		name := strings.TrimPrefix(words[0], module)
		allowed, known := may[name]
		if !known && name != "internal" {
			t.Errorf("%s is on no floor: add it here and in docs/design.md", name)
			continue
		}
		for _, imported := range words[1:] {
			if own, ours := strings.CutPrefix(imported, module); ours && !slices.ContainsFunc(allowed, covers(own)) {
				t.Errorf("%s must not import %s: imports go to a lower floor", name, own)
			}
			for door, keepers := range doors {
				if strings.HasPrefix(imported, door) && !slices.Contains(keepers, name) {
					t.Errorf("%s must not import %s: that is for %s", name, imported, strings.Join(keepers, ", "))
				}
			}
			if imported == "github.com/silenceper/wechat/v2" {
				t.Errorf("%s imports the root of silenceper/wechat, which turns on global debug logging", name)
			}
		}
	}
}

func covers(own string) func(string) bool {
	return func(allowed string) bool {
		return own == allowed || strings.HasSuffix(allowed, "/") && strings.HasPrefix(own, allowed) || strings.HasPrefix(own, allowed+"/")
	}
}
