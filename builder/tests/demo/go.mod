module example.com/demo

go 1.26

require example.org/quote v1.5.2

replace example.org/quote => ./quote

godebug panicnil=1
