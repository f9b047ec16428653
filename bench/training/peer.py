"""PyTorch's side of run.ts: answers each line on stdin, a turn's milliseconds, with its images a second.

The same network, loss and update (momentum and weight decay, dropout) with what PyTorch offers for speed on a CPU:
channels-last memory, the fused optimizer, autocast for bf16, torch.compile where asked for. Pictures are prepared
before anything is measured, where verydeep prepares them in each step.
"""

import json
import sys
import time

import torch
from torch import nn

CONVOLUTIONS = {"D": (2, 2, 3, 3, 3), "E": (2, 2, 4, 4, 4)}
CHANNELS = (64, 128, 256, 512, 512)


def network(architecture, width, fc, classes, crop, **_):
    layers, inputs = [], 3
    for count, channels in zip(CONVOLUTIONS[architecture], CHANNELS):
        outputs = round(channels * width)
        for _ in range(count):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    inputs *= (crop // 32) ** 2
    for _ in range(2):
        layers += [nn.Linear(inputs, fc), nn.ReLU(inplace=True), nn.Dropout(0.5)]
        inputs = fc
    layers.append(nn.Linear(inputs, classes))
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


training = json.loads(sys.argv[1])
spec, batch = training["spec"], training["batch"]
torch.manual_seed(1)
torch.set_num_threads(training["threads"])
model = network(**spec).to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4, fused=True)
pictures = torch.randn(batch, 3, spec["crop"], spec["crop"]).to(memory_format=torch.channels_last)
labels = torch.randint(spec["classes"], (batch,))


def loss_of(pictures, labels):
    return nn.functional.cross_entropy(model(pictures), labels)


if training["compile"]:
    loss_of = torch.compile(loss_of)


def step():
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=training["precision"] == "bf16"):
        loss = loss_of(pictures, labels)
    loss.backward()
    optimizer.step()
    return loss.item()


for line in sys.stdin:
    start, images, elapsed = time.perf_counter(), 0, 0
    while images == 0 or elapsed < float(line) / 1000:
        step()
        images += batch
        elapsed = time.perf_counter() - start
    print(images / elapsed, flush=True)
