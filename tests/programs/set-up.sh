# To be sourced, with a word: sets variables by it, hangs, or complains when it is empty.
if [ "$1" = hang ]; then
    sleep 3600
fi
if [ -z "$1" ]; then
    echo "set-up: say which" >&2
    return 4
fi
export CHOSEN="$1" ONLY_"$1"=1
sleep 0.5
