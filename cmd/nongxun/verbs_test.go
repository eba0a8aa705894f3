package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
	"github.com/nongxun/nongxun/sms/cmpp"
)

// shell runs verbs with an environment of its own.
type shell struct {
	t   *testing.T
	env map[string]string
}

func newShell(t *testing.T) *shell {
	return &shell{t, map[string]string{"NONGXUN_DATABASE_URL": pgtest.URL(t), "HOME": t.TempDir()}}
}

func (s *shell) run(stdin string, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	w := &world{
		env:   func(name string) (string, bool) { v, ok := s.env[name]; return v, ok },
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	code = exitCode(run(s.t.Context(), w, args), &errs)
	return code, out.String(), errs.String()
}

func (s *shell) ok(want string, args ...string) string {
	s.t.Helper()
	code, out, errs := s.run("", args...)
	if code != 0 || !strings.Contains(out, want) {
		s.t.Errorf("nongxun %s: status %d, output %q, errors %q; want %q", strings.Join(args, " "), code, out, errs, want)
	}
	return out
}

func (s *shell) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func TestImportIsAllOrNothingAndTwiceIsOnce(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	good := s.file("行情.csv", "市场,日期,品种,平均价,单位,最低价\n长沙红星市场,2026-11-23,脐橙,4.8,元/公斤,4.2\n炎陵县农贸市场,2026/11/23,黄桃,3.5,元/斤,\n")
	s.ok("读了 2 行,新增或更改 2 行", "import", "prices", good)
	s.ok("读了 2 行,新增或更改 0 行", "import", "prices", good)
	fairs := s.file("对接会.csv", "\ufeff编号,名称,季节,报名开始,报名截止,县指标\n2026D,2026年冬季农产品网上购销对接会,冬季,2026-11-01,2026-12-31,2000\n")
	s.ok("新增或更改 1 行", "import", "fairs", fairs)
	s.ok("新增或更改 0 行", "import", "fairs", fairs)
	s.ok("新增或更改 1 行", "import", "products", s.file("p.csv", "名称,类别,别名,上市月份\n雷公屎,蔬菜,地皮菜、地木耳,4-6\n"))
	s.ok("新增或更改 1 行", "import", "regions", s.file("r.csv", "代码,名称,上级,曾用名,生效\n430299,云龙区,430200,云龙示范区,2027-01-01\n"))

	bad := s.file("坏的.csv", "日期,市场,品种,平均价,单位,颜色\n")
	if code, _, errs := s.run("", "import", "prices", bad); code != 1 || !strings.Contains(errs, "颜色") {
		t.Errorf("an unknown column: status %d, %q", code, errs)
	}
	bad = s.file("坏的.csv", "日期,市场,品种,平均价,单位\n2026-11-23,红星,猪,12,元/公斤\n昨天,红星,鱼,便宜,公斤\n")
	code, _, errs := s.run("", "import", "prices", bad)
	for _, want := range []string{"第3行", "日期", "平均价", "单位"} {
		if code != 1 || !strings.Contains(errs, want) {
			t.Errorf("status %d, %q; want %q in it", code, errs, want)
		}
	}
	s.ok("新增或更改 1 行", "import", "prices", s.file("好的.csv", "日期,市场,品种,平均价,单位\n2026-11-23,红星,猪,12,元/公斤\n"))
}

func TestExportMasksUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	p := startProcess(t, "NONGXUN_DATABASE_URL="+s.env["NONGXUN_DATABASE_URL"], "NONGXUN_WECHAT_APP_ID="+testAppID, "NONGXUN_WECHAT_APP_SECRET=secret",
		"NONGXUN_WECHAT_TOKEN="+testToken, "NONGXUN_WECHAT_AES_KEY="+testAESKey, "NONGXUN_WECHAT_API_URL=http://127.0.0.1:1")
	now := time.Now()
	status, body, err := secureCallback(t, textXML("oABCdefghijklmnopqrstuvwxyz1", 1, now, "供应=黄桃5000斤,3块5一斤,炎陵县中村的,电话13800005678,也可以打138-0000-5679"), now).post(t.Context(), poolClient(1), p.base)
	if err != nil || status != 200 || !strings.Contains(body, "<Encrypt>") {
		t.Fatalf("%d %s %v", status, body, err)
	}
	var l struct {
		Kind, Status, Product, Channel, Contact string
		Quantity                                struct {
			Min, Max float64
			Unit     string
			KgMin    float64 `json:"kg_min"`
		}
		Price struct {
			Min, Max     float64
			Unit         string
			YuanPerKgMin float64 `json:"yuan_per_kg_min"`
			Negotiable   bool
		}
		Origin struct{ Code, Name string }
	}
	if err = json.Unmarshal([]byte(s.ok("", "export", "listings", "--format", "jsonl")), &l); err != nil {
		t.Fatal(err)
	}
	if l.Kind != "supply" || l.Status != "open" || l.Product != "黄桃" || l.Quantity.Min != 5000 || l.Quantity.KgMin != 2500 || l.Price.Min != 3.5 ||
		l.Price.YuanPerKgMin != 7 || l.Origin.Code != "430225" || !strings.HasPrefix(l.Origin.Name, "炎陵县") || l.Channel != "wechat" || l.Contact != "oABC****xyz1" {
		t.Errorf("listing %+v", l)
	}
	if out := s.ok("oABC****xyz1", "export", "messages"); strings.Contains(out, "13800005678") || strings.Contains(out, "138-0000-5679") {
		t.Errorf("a whole phone number in a masked export: %s", out)
	}
	s.ok("oABCdefghijklmnopqrstuvwxyz1", "export", "messages", "--unmasked", "--format", "jsonl")
	s.ok("", "export", "signups", "--format", "jsonl")
	s.ok("编号", "export", "deliveries")
	s.ok("原因说明", "export", "deliveries")
	s.ok("停用:\n  没有", "outbox", "status")
	s.ok("sms/promotion 已停用", "outbox", "stop", "sms/promotion")
	s.ok("人工停用", "outbox", "status")
	s.ok("sms/promotion 已恢复", "outbox", "release", "sms/promotion")
	s.ok("本来就没有停用", "outbox", "release", "sms/promotion")
	s.ok("0 条没发成的重新排队", "outbox", "retry", "--failed")
	for _, wrong := range [][]string{
		{"outbox", "stop", "fax"},
		{"outbox", "stop", "sms/promotoin"},
		{"outbox", "retry"},
		{"export", "contacts", "--region", "炎陵"},
		{"export", "contacts", "--region", "440000"},
	} {
		if code, _, _ := s.run("", wrong...); code == 0 {
			t.Errorf("nongxun %v was taken", wrong)
		}
	}
	path := filepath.Join(t.TempDir(), "人.xlsx")
	s.ok("", "export", "contacts", "--format", "xlsx", "--output", path)
	if b, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(b, []byte("PK")) {
		t.Errorf("no workbook: %v", err)
	}
}

func TestUnderstandAnswersEveryLine(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	code, out, _ := s.run(`{"id":"17","channel":"wechat","text":"黄桃5000斤,3块5一斤,炎陵中村的","sent_at":"2026-11-24T08:00:00+08:00"}
nonsense

{"id":18,"text":"谢谢"}
`, "understand")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 1 || len(lines) != 4 {
		t.Fatalf("status %d, %d lines:\n%s", code, len(lines), out)
	}
	for i, want := range []string{`"intent":"supply"`, `{"error":`, `{"error":`, `"id":18,"intent":"greeting"`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d: %s; want %s", i+1, lines[i], want)
		}
	}
	if want := `"quantity":{"min":5000,"max":5000,"unit":"斤","kg":{"min":2500,"max":2500},"approx":false}`; !strings.Contains(lines[0], want) {
		t.Errorf("%s; want %s", lines[0], want)
	}
}

func TestSettingsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"NONGXUN_LISTEN", "8080", "NONGXUN_LISTEN: should be host:port"},
		{"NONGXUN_REGION", "湖南", "NONGXUN_REGION: should be the six-digit"},
		{"NONGXUN_WECHAT_MODE", "aes", "NONGXUN_WECHAT_MODE: should be plain, compatible or secure"},
		{"NONGXUN_WECHAT_FRESHNESS", "ten", "NONGXUN_WECHAT_FRESHNESS"},
		{"NONGXUN_WECHAT_API_URL", "http://api.weixin.qq.com", "should begin with https://"},
		{"NONGXUN_ALIYUN_ENDPOINT", "dysmsapi.aliyuncs.com", "NONGXUN_ALIYUN_ENDPOINT"},
		{"NONGXUN_WECHAT_APP_ID", "wx1", "NONGXUN_WECHAT_APP_SECRET: is missing"},
		{"NONGXUN_ALIYUN_ACCESS_KEY_ID", "LTAI", "NONGXUN_ALIYUN_ACCESS_KEY_SECRET: is missing"},
		{"NONGXUN_ALIYUN_TEMPLATES", "reply1", "name=code pairs"},
		{"NONGXUN_ALIYUN_CALLBACK_SECRET", "a/b", "letters and digits"},
		{"NONGXUN_SMPP_ADDR", "smsc.example.com", "NONGXUN_SMPP_ADDR: should be host:port"},
		{"NONGXUN_SMPP_ADDR", "smsc.example.com:2775", "NONGXUN_SMPP_SYSTEM_ID: is missing"},
		{"NONGXUN_CONFIG", "/nowhere.yaml", "there is no such file"},
		{"NONGXUN_DATABASE_URL", "mysql://x", "NONGXUN_DATABASE_URL: should be an address"},
		{"NONGXUN_DATABASE_URL", "postgres://nobody@127.0.0.1:1/x?connect_timeout=1", "127.0.0.1"},
		{"NONGXUN_ALIYUN_TEMPLATES", "replay1=SMS_1", `there is no "replay1"`},
		{"NONGXUN_WECHAT_TEMPLATES", "price=T?thing1=good", `there is no "good"`},
		{"NONGXUN_WECHAT_TEMPLATES", "prise=T?thing1=goods", `there is no "prise"`},
	} {
		s := &shell{t, map[string]string{tt.name: tt.value, "HOME": "/tmp"}}
		code, _, errs := s.run("", "serve")
		if code != 1 || !strings.Contains(errs, tt.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s=%s: status %d, %q; want one line with %q", tt.name, tt.value, code, errs, tt.want)
		}
	}
}

func TestSettingsFromAFile(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	config := s.file("nongxun.yaml", "listen: 127.0.0.1:9\nregion: 430225\nwechat_app_id: wx1\nwechat_token: t\nwechat_mode: plain\nwechat_freshness: 0\n")
	secret := s.file("secret", "s3cret\n")
	env := map[string]string{"NONGXUN_CONFIG": config, "NONGXUN_WECHAT_APP_SECRET_FILE": secret, "NONGXUN_LISTEN": "127.0.0.1:10", "HOME": "/tmp"}
	got, err := loadSettings(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != "127.0.0.1:10" || got.Region != "430225" || got.WeChat.AppSecret != "s3cret" || got.WeChat.Freshness != 0 || got.WeChat.Token != "t" {
		t.Errorf("%+v", got)
	}
}

// A file's values are taken as they are written: 3.0 is not 3, and a secret of digits is no octal number.
func TestSettingsOfAFileStayAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	s := &shell{t, nil}
	load := func(text string) (settings, error) {
		env := map[string]string{"NONGXUN_CONFIG": s.file("nongxun.yaml", text), "HOME": "/tmp"}
		return loadSettings(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	}
	got, err := load("cmpp_addr: 127.0.0.1:7890\ncmpp_sp_id: 012345\ncmpp_secret_file: " + s.file("secret", "01234567\n") +
		"\ncmpp_src_id: 10690001\ncmpp_version: 3.0\nwechat_app_id:\nwechat_token: kept for later\nmetrics_listen:\n")
	if err != nil || got.CMPP.Secret != "01234567" || got.CMPP.SPID != "012345" || got.CMPP.Version != cmpp.V30 || got.WeChat.AppID != "" {
		t.Errorf("%v %+v", err, got.CMPP)
	}
	for _, wrong := range []string{"listne: 127.0.0.1:9\n", "listen: [127.0.0.1:9]\n", "cmpp_addr: 127.0.0.1:7890\ncmpp_sp_id: 1\ncmpp_secret: s\ncmpp_src_id: 1\ncmpp_rat: 5\n"} {
		if _, err := load(wrong); err == nil || !strings.Contains(err.Error(), "NONGXUN_CONFIG") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// What an officer types without the service's settings must not be told to a new, empty database.
func TestOutboxVerbsNeedTheServicesDatabase(t *testing.T) {
	t.Parallel()
	s := &shell{t, map[string]string{"NONGXUN_DATA_DIR": t.TempDir(), "HOME": "/tmp"}}
	if code, out, errs := s.run("", "outbox", "stop", "sms/promotion"); code == 0 || !strings.Contains(errs, "NONGXUN_DATA_DIR") {
		t.Errorf("said to nobody: %s%s", out, errs)
	}
}

func TestExportOfDeliveriesKeepsToTheRegion(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.ok("", "migrate")
	pool, err := pg.Open(t.Context(), s.env["NONGXUN_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) error {
		var id int64
		if err := tx.QueryRow(t.Context(), `INSERT INTO contact (county, created_at) VALUES ('430225', now()) RETURNING id`).Scan(&id); err != nil {
			return err
		}
		_, err := outbox.Put(t.Context(), tx, time.Now(), outbox.Delivery{Cause: "reply:cmpp:2026:00ab:13800005678:00cd", ContactID: id, Channel: outbox.SMS, Text: "x"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.ok("reply:cmpp:2026:00ab:138****5678:00cd", "export", "deliveries", "--region", "430200")
	if _, out, _ := s.run("", "export", "deliveries", "--region", "431000"); strings.Contains(out, "reply:cmpp") {
		t.Errorf("another region's delivery: %s", out)
	}
}

func TestDoctorFindsAProxyWithoutTheService(t *testing.T) {
	t.Parallel()
	status := http.StatusBadGateway
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer proxy.Close()
	if err := checkCallback(t.Context(), proxy.URL+"/"); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("a proxy that answers 502: %v", err)
	}
	status = http.StatusOK
	if err := checkCallback(t.Context(), proxy.URL); err != nil {
		t.Error(err)
	}
}

func TestDoctorTakesAnInstallationWithOneChannel(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.ok("", "migrate")
	if code, out, _ := s.run("", "doctor"); code == 0 || !strings.Contains(out, "off, and so are texts") {
		t.Errorf("neither channel: %d %s", code, out)
	}
	answers := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer answers.Close()
	for name, value := range map[string]string{
		"ACCESS_KEY_ID": "id", "ACCESS_KEY_SECRET": "s", "SIGN_NAME": "炎陵县商务局", "CALLBACK_SECRET": "abc", "TEMPLATES": "reply1=SMS_1", "ENDPOINT": answers.URL,
	} {
		s.env["NONGXUN_ALIYUN_"+name] = value
	}
	s.env["NONGXUN_DATA_DIR"] = t.TempDir()
	s.ok("wechat (off) ok", "doctor")
}

func TestUnderstandForPeople(t *testing.T) {
	t.Parallel()
	s := &shell{t, map[string]string{}}
	labels := s.file("labels.jsonl", `{"id":"a","text":"供应黄桃5000斤,炎陵","intent":"supply","items":[{"product":"黄桃","quantity":{"min":5000,"max":5000,"unit":"斤"},"origin":{"code":"430225"}}]}
{"id":"b","text":"您好","intent":"help"}
`)
	out := s.ok("intent          0.5000  1 of 2", "understand", "--evaluate", labels, "--explain")
	for _, want := range []string{"item F1         1.0000", "1 MISSES\nb\tintent: wanted help, got greeting\t您好\n您好\n  greeting", "0-2\t您好\tintent\tgreet"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	if code, _, errs := s.run("", "understand", "--evaluate", s.file("bad.jsonl", "{}\n")); code != 1 || !strings.Contains(errs, "line 1") {
		t.Errorf("bad labels: %d %q", code, errs)
	}
	code, out, _ := s.run("供应黄桃5000斤\n{\"id\":1}\n", "understand", "--explain")
	if code != 1 || !strings.Contains(out, "2-4\t黄桃\tproduct\t黄桃\n    4-9\t5000斤\tquantity") || !strings.Contains(out, `{"id":1,"error":"text is missing"}`) {
		t.Errorf("%d %s", code, out)
	}
}

// What can't be a price is refused, by row and column, and no row is lost in silence.
func TestImportOfPricesRefusesNonsense(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	head := "日期,市场,品种,平均价,单位,最低价,最高价\n"
	for rows, column := range map[string]string{
		"2026-11-23,红星,脐橙,48,元/公斤,4.2,5.2\n":                                     "最高价",
		"2026-11-23,红星,脐橙,4.8,元/公斤,-4.2,5.2\n":                                   "最低价",
		time.Now().AddDate(0, 1, 2).Format(time.DateOnly) + ",红星,脐橙,12,元/公斤,,\n": "日期",
		"2026-11-23,红星,鸡蛋,12,元/,,\n":                                             "单位",
		"2026-11-23,红星,鸭蛋,12,元/公顷,,\n":                                           "单位",
	} {
		code, out, errs := s.run("", "import", "prices", s.file("p.csv", head+rows))
		if code != 1 || !strings.Contains(errs, "行“"+column+"”") {
			t.Errorf("%q was taken: %d %q %q; want a mistake in %s", rows, code, out, errs, column)
		}
	}
	s.ok("有 1 行和后面的行是同一天", "import", "prices", s.file("p.csv", head+"2026-11-23,红星,红薯,2,元/公斤,,\n2026-11-23,红星,红薯,20,元/公斤,,\n"))
	s.ok("新增或更改 1 行", "import", "prices", s.file("p.csv", head+"2026-11-23,红星,冬笋,12,元/千克,,\n"))
	s.ok("新增或更改 0 行", "import", "prices", s.file("p.csv", head+"2026-11-23,红星,冬笋,12,元/公斤,,\n"))
}

func TestImportOfAProductTwiceInAFile(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for kind, data := range map[string]string{
		"products": "名称,类别\n雷公屎,蔬菜\n雷公屎,菌类\n",
		"regions":  "代码,名称,上级\n430299,云龙区,430200\n430299,云龙新区,430200\n",
	} {
		file := s.file("p.csv", data)
		code, out, errs := s.run("", "import", kind, file)
		code2, out2, errs2 := s.run("", "import", kind, file)
		if code == 0 && !strings.Contains(out2, "更改 0 行") {
			t.Errorf("%s: the same file twice: %d %q %q, then %d %q %q", kind, code, out, errs, code2, out2, errs2)
		}
	}
}
