//go:build deps

package nongxun

import (
	_ "github.com/6tail/lunar-go/calendar"
	_ "github.com/alecthomas/kong"
	_ "gopkg.in/yaml.v3"
	_ "github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"
	_ "github.com/chromedp/chromedp"
	_ "github.com/go-co-op/gocron/v2"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/piglig/go-qr"
	_ "github.com/pressly/goose/v3"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/riverqueue/river"
	_ "github.com/riverqueue/river/riverdriver/riverpgxv5"
	_ "github.com/riverqueue/river/rivermigrate"
	_ "github.com/rogpeppe/go-internal/testscript"
	_ "github.com/silenceper/wechat/v2/credential"
	_ "github.com/silenceper/wechat/v2/officialaccount"
	_ "github.com/silenceper/wechat/v2/util"
	_ "github.com/xuri/excelize/v2"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/text/width"
	_ "golang.org/x/time/rate"
	_ "pgregory.net/rapid"
)
