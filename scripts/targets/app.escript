#!/usr/bin/env escript
%%! -mode compile
%% The app for Erlang: a process for each connection. Each request spends CWT_WORK_NS of CPU time,
%% which is a number of turns of a loop that is calibrated at the start, then waits for CWT_WAIT_US,
%% which is a call of the backend CWT_UPSTREAM on a connection that the process keeps.
-mode(compile).

main(_) ->
    {Host, Port} = address("CWT_ADDRESS"),
    Upstream = address("CWT_UPSTREAM"),
    WorkNs = list_to_integer(os:getenv("CWT_WORK_NS")),
    WaitUs = list_to_integer(os:getenv("CWT_WAIT_US")),
    Turns = round(WorkNs * turns_per_ns()),
    {ok, Listening} = gen_tcp:listen(Port, [binary, {ip, Host}, {packet, http_bin}, {active, false},
        {reuseaddr, true}, {backlog, 4096}, {nodelay, true}]),
    accept(Listening, {Turns, WaitUs, Upstream}).

address(Name) ->
    [Host, Port] = string:split(os:getenv(Name), ":"),
    {ok, Parsed} = inet:parse_address(Host),
    {Parsed, list_to_integer(Port)}.

%% The median of some rounds.
turns_per_ns() ->
    Rounds = lists:sort([round_rate(2000000) || _ <- lists:seq(1, 9)]),
    lists:nth(5, Rounds).

round_rate(Turns) ->
    Before = erlang:monotonic_time(nanosecond),
    turn(Turns, 1),
    Turns / (erlang:monotonic_time(nanosecond) - Before).

turn(0, X) -> X;
turn(N, X) -> turn(N - 1, (X * 1103515 + 12345) band 16#7fffffff).

accept(Listening, Job) ->
    {ok, Socket} = gen_tcp:accept(Listening),
    Pid = spawn(fun() -> receive go -> serve(Socket, none, Job) end end),
    ok = gen_tcp:controlling_process(Socket, Pid),
    Pid ! go,
    accept(Listening, Job).

serve(Socket, Backend, Job = {Turns, WaitUs, Upstream}) ->
    case head(Socket, keep) of
        closed ->
            close(Backend),
            gen_tcp:close(Socket);
        Keep ->
            turn(Turns, 1),
            Kept = call(Backend, WaitUs, Upstream),
            ok = gen_tcp:send(Socket, <<"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                "Content-Length: 13\r\n\r\nhello, world\n">>),
            case Keep of
                keep -> serve(Socket, Kept, Job);
                last ->
                    close(Kept),
                    gen_tcp:close(Socket)
            end
    end.

%% The head of a request, up to its empty line; it has no body.
head(Socket, Keep) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, http_eoh} -> Keep;
        {ok, {http_header, _, 'Connection', _, <<"close">>}} -> head(Socket, last);
        {ok, {http_error, _}} -> closed;
        {ok, _} -> head(Socket, Keep);
        {error, _} -> closed
    end.

close(none) -> ok;
close(Socket) -> gen_tcp:close(Socket).

call(Backend, 0, _) -> Backend;
call(none, WaitUs, Upstream = {Host, Port}) ->
    {ok, Socket} = gen_tcp:connect(Host, Port, [binary, {packet, http_bin}, {active, false},
        {nodelay, true}]),
    call(Socket, WaitUs, Upstream);
call(Socket, WaitUs, _) ->
    ok = gen_tcp:send(Socket, [<<"GET /delay/">>, integer_to_binary(WaitUs),
        <<"us HTTP/1.1\r\nHost: backend\r\n\r\n">>]),
    ok = inet:setopts(Socket, [{packet, http_bin}]),
    Length = reply_head(Socket, 0),
    ok = inet:setopts(Socket, [{packet, raw}]),
    case Length of
        0 -> ok;
        _ -> {ok, _} = gen_tcp:recv(Socket, Length)
    end,
    ok = inet:setopts(Socket, [{packet, http_bin}]),
    Socket.

reply_head(Socket, Length) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, http_eoh} -> Length;
        {ok, {http_header, _, 'Content-Length', _, Text}} ->
            reply_head(Socket, binary_to_integer(Text));
        {ok, _} -> reply_head(Socket, Length)
    end.
