/** What the rules say, in Chinese: titles by finding, fixed sentences by their English text. What is missing here is shown in English. */

export const FINDINGS_ZH: { readonly [id: string]: string } = {
  'auth-refused': '服务端拒绝连接',
  'second-bridge-ignored': '同一 NanoMQ 的第二个 QUIC 桥接从不订阅',
  'queue-capacity-zero': '发送队列没有容量：未设置 max_send_queue_len',
  'receiver-dead': '桥接不再接收：流失效后没有重新开始接收',
  'stuck-busy': '发送路径卡死：重连后，暂存的消息使管道一直处于忙状态',
  'send-error-stuck': '一次发送失败使管道保持忙状态：在服务端断开之前什么也发不出去',
  'keepalive-control-stream': '服务端只统计控制流，而桥接只在数据流上发送',
  'keepalive-receive-reset': '收到的消息不断推迟 PINGREQ，直到服务端因 keepalive 超时断开',
  'keepalive-too-short': 'keepalive 相对定时器周期、重发和往返时间没有余量',
  'quic-idle-timeout': 'QUIC 连接空闲超时：其保活间隔不小于空闲超时',
  'client-id-clash': '另一个客户端使用相同的客户端 ID 并抢占会话',
  kicked: '服务端因管理操作断开连接',
  'keepalive-cycle-undetermined': '服务端反复因 keepalive 超时断开；这些日志无法说明原因',
  'offline-resend-loop': '桥接断开期间，缓存的消息全速循环重发',
  'aio-leak': '桥接已恢复，但发送上下文在 cancel_timeout 之后仍然忙',
  crash: 'NanoMQ 未经停止就重新启动',
  'broker-restart': '服务端被停止并重新启动',
  'resend-starved': '中断过后很久，未确认的消息仍占用上下文：每个周期只重发一条',
  'subscribe-competition': 'SUBSCRIBE 等待发送槽，其间没有任何下行消息',
  'broker-unresponsive': '服务端一段时间没有响应',
  'bridge-stopped-retrying': '桥接失去连接后不再拨号',
  'transport-loss': '网络丢包或连接中断',
  'parked-before-connect': '桥接断开期间发布的消息占用了发送上下文',
  'aio-load': '消息到达快于桥接所能转交：发送上下文被未确认的消息占满',
};

export const SENTENCES_ZH: { readonly [english: string]: string } = {
  'from 0.23.2 only PINGRESP restarts the timer; seen to cure it (0.23.2–0.23.9 have stuck-busy and parking defects instead)':
    '自 0.23.2 起只有 PINGRESP 才重启定时器；已验证有效（但 0.23.2–0.23.9 有发送卡死和暂存缺陷）',
  'counts at EMQX 5.8.2 and later on any stream; with 5.8.1 and older it must go over the control stream':
    'EMQX 5.8.2 及以后任何流都计入；5.8.1 及更早版本必须走控制流',
  'the acknowledgements go up and count': '确认报文上行，会被计入',
  'no EMQX release helps: received packets of the client count, and it sends none':
    '任何 EMQX 版本都无济于事：服务端统计的是收到的客户端报文，而客户端没有发送',
  'only makes the cycle longer': '只会使周期变长',
  'no NanoMQ release restarts the TCP ping timer on sends only (up to 0.25.6); upward packets count at the broker':
    '直到 0.25.6，没有 NanoMQ 版本只在发送时重启 TCP 心跳定时器；上行报文会被服务端计入',
  'the first release that counts packets of every stream of the connection (not 5.8.3, as often said); seen to cure it':
    '首个统计连接中所有流报文的版本（并非常说的 5.8.3）；已验证有效',
  'puts QoS 1 and 2 on the control stream; helps only if such messages are sent more often than the keepalive':
    '使 QoS 1 和 2 走控制流；仅当此类消息比 keepalive 更频繁时有效',
  'no NanoMQ release pings while it sends on data streams; seen not to help':
    '任何 NanoMQ 版本在数据流上发送时都不会发心跳；已验证无效',
  'clears the busy mark before a parked message is sent (NanoNNG c86a8064e); seen to cure it':
    '在发送暂存消息之前清除忙标记（NanoNNG c86a8064e）；已验证有效',
  'also stops parking QoS 0 while disconnected; seen to cure it on the workload of the bundled incident':
    '断线时也不再暂存 QoS 0；在随附事件的负载上已验证有效',
  'the TCP client has no such defect; mind keepalive-receive-reset there':
    'TCP 客户端没有此缺陷；但要注意 keepalive-receive-reset',
  'only makes the cycle longer: the stall lasts 2 × keepalive': '只会使周期变长：停滞持续 2 × keepalive',
  'does not raise uplink concurrency; more contexts (system.parallel) only drop more before the stall shows':
    '不会提高上行并发；更多上下文（system.parallel）只会在停滞显现前丢失更多消息',
  'QoS 0 is no longer parked while the bridge is down': '桥接断开时不再暂存 QoS 0',
  'what is published before occupies contexts': '在此之前发布的消息会占用上下文',
  'the receive is armed again after a stream died': '流失效后会重新开始接收',
  'nothing in the process brings the receive back': '进程内没有办法恢复接收',
  'each context comes back with a resend, one a tick, from 0.24.3 on with resend_interval':
    '每次重发释放一个上下文，每个周期一次；自 0.24.3 起周期为 resend_interval',
  'the packet that is refused never leaves, and no NanoMQ release from 0.23.10 on clears the busy mark':
    '被拒绝的报文永远发不出去，自 0.23.10 起没有版本会清除忙标记',
  'does not submit while offline, so the loop rarely starts': '离线时不提交，因此循环很少发生',
  'keeps the loop from filling the disk; the CPU stays busy': '避免循环写满磁盘；CPU 仍然繁忙',
  'the counter of connected bridges is shared by the process': '已连接桥接的计数器由整个进程共享',
  'the TCP client does not use the counter': 'TCP 客户端不使用该计数器',
  'an absent key means capacity 0': '缺少该配置项即容量为 0',
  'one QoS 1 or 2 message may be unacknowledged per context; max_parallel_processes does not raise uplink concurrency':
    '每个上下文只能有一条未确认的 QoS 1 或 2 消息；max_parallel_processes 不会提高上行并发',
  'a context is free again when its acknowledgement arrives': '收到确认后上下文才空闲',
  'it rises before messages are dropped': '它在消息丢失之前就会上升',
  'one unacknowledged message is sent again each tick; older releases tick every 5 s whatever the setting':
    '每个周期重发一条未确认的消息；旧版本无论如何设置，周期都是 5 秒',
  'it needs no acknowledgement': '它不需要确认',
  'SUBSCRIBE then goes out at once on the control stream': 'SUBSCRIBE 会立即在控制流上发出',
  'leaves room for a tick, a resend and a lost packet': '为一个周期、一次重发和一次丢包留出余量',
  'a QUIC PING then keeps the connection from idling out': 'QUIC PING 会防止连接空闲超时',
  'the transport gave the connection up': '传输层放弃了该连接',
  'quic_initial_rtt_ms = 800ms means 48 s before it: a lost first packet then costs a whole handshake time-out':
    '在此之前 quic_initial_rtt_ms = 800ms 相当于 48 秒：首包丢失会耗尽整个握手超时',
  'MQTT allows one connection a client id; the broker ends the older one':
    'MQTT 每个客户端 ID 只允许一个连接；服务端会断开旧连接',
  'the bridge reconnects by itself, but messages in between are lost or parked':
    '桥接会自行重连，但其间的消息会丢失或被暂存',
  'the process did nothing for that time': '该进程在此期间没有任何动作',
  'NanoMQ never logs the refusal, and may even log "connected"': 'NanoMQ 从不记录拒绝，甚至可能记录“已连接”',
  'the broker acts on an administrative request': '服务端执行的是管理请求',
  'it will not dial again by itself': '它不会自行再次拨号',
  'the receive that lost the event is armed again': '丢失事件的接收会重新开始',
  'the log ends without a signal or a shutdown': '日志在没有信号或关闭记录的情况下结束',
  // what the analysis says of missing logs
  "no log of NanoMQ: the bridge's own side is missing": '没有 NanoMQ 日志：缺少桥接端',
  'collect nanomq.log (log.to = [file], level info or debug) of the time of the incident':
    '收集事件期间的 nanomq.log（log.to = [file]，级别 info 或 debug）',
  "NanoMQ's log has no info lines: PINGREQ, connects and the configuration are not in it":
    'NanoMQ 日志没有 info 级别的行：不含 PINGREQ、连接和配置',
  'set log.level = info in nanomq.conf and restart NanoMQ': '在 nanomq.conf 中设置 log.level = info 并重启 NanoMQ',
  "NanoMQ's log has no debug lines: messages that were sent are not in it":
    'NanoMQ 日志没有 debug 级别的行：不含已发送的消息',
  'set log.level = debug in nanomq.conf for one cycle': '在一个周期内将 nanomq.conf 的 log.level 设为 debug',
  'no log of EMQX: who closed the connection and why is inferred': '没有 EMQX 日志：由谁、为何关闭连接只能推断',
  'EMQX logged no packets: the last packet before a disconnect is not known':
    'EMQX 没有记录报文：断线前的最后一个报文未知',
  'the clocks of the two ends cannot be aligned without doubt': '两端的时钟无法确切对齐',
  'give the zone of the NanoMQ host with --tz, or collect logs that reach from before the first connect':
    '用 --tz 指定 NanoMQ 主机的时区，或收集首次连接之前开始的日志',
  'the NanoMQ release is not known': 'NanoMQ 版本未知',
  'collect the log from the start of the process, or note the output of nanomq --version':
    '收集进程启动时的日志，或记下 nanomq --version 的输出',
};
