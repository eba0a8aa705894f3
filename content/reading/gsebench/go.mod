module github.com/nongxun/nongxun/content/reading/gsebench

go 1.26.0

require (
	github.com/go-ego/gse v0.80.3
	github.com/nongxun/nongxun v0.0.0
)

require (
	github.com/6tail/lunar-go v1.4.6 // indirect
	github.com/vcaesar/cedar v0.20.2 // indirect
)

replace github.com/nongxun/nongxun => ../../..
